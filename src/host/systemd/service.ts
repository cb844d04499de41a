/**
 * What the main process of a container tells systemd, if that started it and wants to know (`Type=notify`): that it is
 * ready, what it has done, that it reloads or stops; and, for the watchdog, that it polls.
 */
import type { ConsumerState, QueueLoad } from '../../consumer/consumer.ts';
import type { Logger } from '../../observe/logging/loggers.ts';
import type { Snapshot } from '../../observe/metrics/snapshot.ts';
import type { Notifier } from './notifier.ts';

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
/** How much longer than its wait a receive may take, in seconds; as long as the run loop itself gives it. */
const MARGIN_SECONDS = 60;

const STATES: Readonly<Record<ConsumerState, string>> = {
  running: 'Running',
  paused: 'Paused',
  draining: 'Draining',
};

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
    const status = statusLine(snapshot(), this.#stopping ? 'draining' : state());
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

/**
 * What a container has done, in a line:
 *
 *     Running: 120 handled, 3 in flight, 2 failed
 *     Running: 120 handled, 0 in flight, 2 failed; receives from "jobs" fail
 */
export function statusLine({ queues }: Snapshot, state: ConsumerState): string {
  let handled = 0;
  let inFlight = 0;
  let failed = 0;
  const failing: string[] = [];
  for (const [name, queue] of Object.entries(queues)) {
    const { outcomes } = queue;
    handled += outcomes.handled;
    inFlight += queue.held;
    failed += outcomes.dropped + outcomes.retried + outcomes.buried;
    if (queue.failing > 0) failing.push(`"${name}"`);
  }
  const done = `${STATES[state]}: ${handled} handled, ${inFlight} in flight, ${failed} failed`;
  return failing.length > 0 ? `${done}; receives from ${failing.join(', ')} fail` : done;
}

/**
 * Milliseconds between two words to the watchdog: half of what it waits for, as systemd advises. Undefined if there is
 * none, or if it is for another process.
 *
 *     watchdogInterval({ WATCHDOG_USEC: '120000000' }, 7)                    // 60000
 *     watchdogInterval({ WATCHDOG_USEC: '120000000', WATCHDOG_PID: '8' }, 7) // undefined
 */
export function watchdogInterval(
  { WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv,
  processId: number,
): number | undefined {
  const microseconds = Number(WATCHDOG_USEC);
  const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === processId;
  return isOurs && microseconds > 0 ? microseconds / 2000 : undefined;
}

/**
 * Whether a run loop polls as it should: the receives of each queue end, with or without messages, or none is wanted, because all
 * slots are busy or it is paused; or it drains, which ends by itself. How long workers take does not matter.
 * `waitSeconds`: how long a receive waits for messages.
 *
 *     isPolling('running', [{ silentSeconds: 81, … }], 20)  // false
 *     isPolling('draining', [{ silentSeconds: 81, … }], 20) // true
 */
export function isPolling(
  state: ConsumerState,
  loads: readonly Pick<QueueLoad, 'silentSeconds'>[],
  waitSeconds: number,
): boolean {
  const longest = waitSeconds + MARGIN_SECONDS;
  return state === 'draining' || loads.every(({ silentSeconds }) => silentSeconds <= longest);
}
