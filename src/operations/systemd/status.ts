/** The line that `systemctl status` shows. */
import type { Snapshot } from '../metrics/snapshot.ts';

/**
 * What a container has done, in a line:
 *
 *     Running: 120 handled, 3 in flight, 2 failed
 */
export function statusText({ queues }: Snapshot, draining: boolean): string {
  let handled = 0;
  let inFlight = 0;
  let failed = 0;
  for (const { outcomes, held } of Object.values(queues)) {
    handled += outcomes.handled;
    inFlight += held;
    failed += outcomes.dropped + outcomes.retried + outcomes.buried;
  }
  return `${draining ? 'Draining' : 'Running'}: ${handled} handled, ${inFlight} in flight, ${failed} failed`;
}
