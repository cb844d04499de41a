/** The line that `systemctl status` shows. */
import type { ConsumerState } from '../../consumer/consumer.ts';
import type { Snapshot } from '../../observe/metrics/snapshot.ts';

const STATES: Readonly<Record<ConsumerState, string>> = {
  running: 'Running',
  paused: 'Paused',
  draining: 'Draining',
};

/**
 * What a container has done, in a line:
 *
 *     Running: 120 handled, 3 in flight, 2 failed
 *     Running: 120 handled, 0 in flight, 2 failed; receives from "jobs" fail
 */
export function statusText({ queues }: Snapshot, state: ConsumerState): string {
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
