/** The watchdog of systemd: how often it wants to hear something, and when it is told that all is well. */
import type { ConsumerState, QueueLoad } from '../../consumer/consumer.ts';

/** How much longer than its wait a receive may take, in seconds; as long as the run loop itself gives it. */
const MARGIN_SECONDS = 60;

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
 * Whether a run loop goes on: the receives of each queue end, with or without messages, or none is wanted, because all
 * slots are busy or it is paused; or it drains, which ends by itself. How long workers take does not matter.
 * `waitSeconds`: how long a receive waits for messages.
 *
 *     goesOn('running', [{ silentSeconds: 81, … }], 20)  // false
 *     goesOn('draining', [{ silentSeconds: 81, … }], 20) // true
 */
export function goesOn(
  state: ConsumerState,
  loads: readonly Pick<QueueLoad, 'silentSeconds'>[],
  waitSeconds: number,
): boolean {
  const longest = waitSeconds + MARGIN_SECONDS;
  return state === 'draining' || loads.every(({ silentSeconds }) => silentSeconds <= longest);
}
