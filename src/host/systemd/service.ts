/**
 * What the main process of a container tells systemd, if that started it and wants to know (`Type=notify`): that it is
 * ready, what it has done, that it reloads or stops; and, for the watchdog, that it polls.
 */
import type { ConsumerState } from '../../consumer/consumer.ts';
import type { Logger } from '../../observe/logging/loggers.ts';
import type { Snapshot } from '../../observe/metrics/snapshot.ts';
import type { Notifier } from './notifier.ts';
import { statusText } from './status.ts';
import { watchdogInterval } from './watchdog.ts';

/** What is to be told. */
export interface ServiceState {
  /** All that was counted. */
  readonly snapshot: () => Snapshot;
  /** Whether polling goes on, or a drain. */
  readonly polling: () => boolean;
  /** Whether it runs, pauses or drains. */
  readonly state: () => ConsumerState;
}

/** How often the status is told, in milliseconds, if it has changed. */
const STATUS_MS = 5_000;

/**
 * Takes what systemd has put into the environment: programs that are started from now on are not the service, and have
 * none of it. Without a socket there, the service tells nothing.
 */
export async function openService(environment: NodeJS.ProcessEnv, log: Logger): Promise<Service> {
  const { NOTIFY_SOCKET } = environment;
  const intervalMs = watchdogInterval(environment, process.pid);
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  if (!NOTIFY_SOCKET) return new Service(log);
  const { openNotifier } = await import('./notifier.ts');
  return new Service(log, await openNotifier(NOTIFY_SOCKET, log), intervalMs);
}

export class Service {
  readonly #log: Logger;
  readonly #notifier: Notifier | undefined;
  readonly #watchdogMs: number | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #state: ServiceState | undefined;
  #status = '';
  #stopping = false;
  #silent = false;

  /** `watchdogMs`: how often the watchdog wants to hear something, in milliseconds. Default: never. */
  constructor(log: Logger, notifier?: Notifier, watchdogMs?: number) {
    this.#log = log;
    this.#notifier = notifier;
    this.#watchdogMs = watchdogMs;
  }

  /** Whether anybody hears what the service tells. */
  get isHeard(): boolean {
    return this.#notifier !== undefined;
  }

  /** The container takes messages from now on. Calling it again changes nothing. */
  ready(state: ServiceState): void {
    if (!this.#notifier || this.#state) return;
    this.#state = state;
    this.#notifier.send('READY=1');
    this.#tellStatus();
    this.#timers.push(setInterval(() => this.#tellStatus(), STATUS_MS));
    if (this.#watchdogMs !== undefined) {
      this.#timers.push(setInterval(() => this.#tellWatchdog(), this.#watchdogMs));
    }
  }

  /** Does what a reload means, and tells when it begins and ends. */
  reload(action: () => void): void {
    // READY=1 would be too early, or too late.
    const isRunning = this.#state !== undefined && !this.#stopping;
    if (isRunning) this.#notifier?.send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    action();
    if (isRunning) this.#notifier?.send('READY=1');
  }

  /** The container drains. Calling it again changes nothing. */
  stopping(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#notifier?.send('STOPPING=1');
    this.#tellStatus();
  }

  /** Ends it, with a last word on what was done. Resolves when systemd has been told everything. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#tellStatus();
    await this.#notifier?.flush();
  }

  #tellStatus(): void {
    if (!this.#state) return;
    const { snapshot, state } = this.#state;
    const status = statusText(snapshot(), this.#stopping ? 'draining' : state());
    if (status === this.#status) return;
    this.#status = status;
    this.#notifier?.send(`STATUS=${status}`);
  }

  #tellWatchdog(): void {
    const silent = !this.#state?.polling();
    if (!silent) this.#notifier?.send('WATCHDOG=1');
    else if (!this.#silent)
      this.#log.error('Polling does not go on: no more word to the watchdog of systemd');
    this.#silent = silent;
  }
}
