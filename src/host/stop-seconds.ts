/** How long a container may take to end. */

/** Seconds: of the drain after its time limit (see `drain`), and of the last words to the broker and the log. */
const AFTER_DRAIN_TIMEOUT = 20;

/**
 * Seconds from SIGTERM until a container has ended for sure; who waits longer waits in vain.
 *
 *     stopSeconds(30) // 50
 */
export function stopSeconds(drainTimeout: number): number {
  return Math.ceil(drainTimeout) + AFTER_DRAIN_TIMEOUT;
}
