/**
 * Notifies systemd, if it started the container with `Type=notify`: ready, status, reloading and stopping, and a ping
 * for the watchdog for as long as the container polls.
 */
import type { ConsumerState, QueueLoad } from '../../consumer/consumer.ts';
import { RECEIVE_MARGIN_SECONDS } from '../../consumer/pauses.ts';
import type { Logger } from '../../observe/logging/loggers.ts';
import type { Snapshot } from '../../observe/metrics/snapshot.ts';
import type { Notifier } from './notifier.ts';

/** The state to report. */
export interface ServiceState {
  /** All counts. */
  readonly snapshot: () => Snapshot;
  /** False if polling is stuck. True during a drain. */
  readonly polling: () => boolean;
  /** Running, paused or draining. */
  readonly state: () => ConsumerState;
}

/** How often to send the status if it has changed, in milliseconds. */
const STATUS_MS = 5_000;

const STATES: Readonly<Record<ConsumerState, string>> = {
  running: 'Running',
  paused: 'Paused',
  draining: 'Draining',
};

/**
 * Reads systemd's variables from the environment and removes them, because programs started later are not the service.
 * Without a socket in the environment, the service sends nothing.
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

  /** `watchdogMs`: how often to ping the watchdog, in milliseconds. Default: never. */
  constructor(log: Logger, notifier?: Notifier, watchdogMs?: number) {
    this.#log = log;
    this.#notifier = notifier;
    this.#watchdogMs = watchdogMs;
  }

  /** True if systemd listens to the notifications. */
  get isHeard(): boolean {
    return this.#notifier !== undefined;
  }

  /** The container receives messages from now on. Calling it again has no effect. */
  ready(state: ServiceState): void {
    if (!this.#notifier || this.#state) return;
    this.#state = state;
    this.#notifier.send('READY=1');
    this.#sendStatus();
    this.#timers.push(setInterval(() => this.#sendStatus(), STATUS_MS));
    if (this.#watchdogMs !== undefined) {
      this.#timers.push(setInterval(() => this.#pingWatchdog(), this.#watchdogMs));
    }
  }

  /** Runs the action of a reload, and reports its start and end. */
  reload(action: () => void): void {
    // Before the container is ready, or while it stops, READY=1 would be wrong.
    const isRunning = this.#state !== undefined && !this.#stopping;
    if (isRunning) this.#notifier?.send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
    action();
    if (isRunning) this.#notifier?.send('READY=1');
  }

  /** The container drains. Calling it again has no effect. */
  stopping(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#notifier?.send('STOPPING=1');
    this.#sendStatus();
  }

  /** Stops notifying, after a last status. Resolves when all notifications have been sent. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#sendStatus();
    await this.#notifier?.flush();
  }

  #sendStatus(): void {
    if (!this.#state) return;
    const { snapshot, state } = this.#state;
    const status = statusLine(snapshot(), this.#stopping ? 'draining' : state());
    if (status === this.#status) return;
    this.#status = status;
    this.#notifier?.send(`STATUS=${status}`);
  }

  #pingWatchdog(): void {
    const silent = !this.#state?.polling();
    if (!silent) this.#notifier?.send('WATCHDOG=1');
    else if (!this.#silent) this.#log.error('Polling is stuck: no more pings to the systemd watchdog');
    this.#silent = silent;
  }
}

/**
 * One line about what a container has done:
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
 * Milliseconds between pings to the watchdog: half of its timeout, as systemd recommends. Undefined if there is no
 * watchdog, or if it watches another process.
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
 * False if a run loop's polling is stuck: receives of some queue do not return. A run loop that does not receive,
 * because all slots are busy or it is paused, is not stuck, nor is one that drains. Slow workers do not matter.
 * `waitSeconds`: how long a long poll waits for messages.
 *
 *     isPolling('running', [{ silentSeconds: 81, … }], 20)  // false
 *     isPolling('draining', [{ silentSeconds: 81, … }], 20) // true
 */
export function isPolling(
  state: ConsumerState,
  loads: readonly Pick<QueueLoad, 'silentSeconds'>[],
  waitSeconds: number,
): boolean {
  const longest = waitSeconds + RECEIVE_MARGIN_SECONDS;
  return state === 'draining' || loads.every(({ silentSeconds }) => silentSeconds <= longest);
}
