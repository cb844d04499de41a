/**
 * The end of a run, in this order: no more receives; what has not started goes back at once; workers may finish within
 * the drain timeout, then their signals abort; everything is settled. The report says what became of all that was held.
 */
import { type Outcome, released } from '../worker/outcome.ts';
import type { Delivery } from './delivery.ts';
import { endsWithin } from './ends-within.ts';
import type { Settler } from './settler.ts';
import type { Slots } from './slots.ts';
import type { Source } from './source.ts';

/** The reason that a worker's signal aborts with when the drain's time is over. */
export class DrainTimeoutError extends Error {
  override readonly name = 'DrainTimeoutError';
}

/** What became of the messages that were held when the drain began. */
export interface DrainReport {
  /** Held when the drain began, and what a last receive still brought. */
  readonly held: number;
  /** Workers that ended during the drain. */
  readonly finished: number;
  /** Given back without having been started. */
  readonly released: number;
  /** Deletes confirmed during the drain. */
  readonly confirmed: number;
  /** Handled, or begun, and not confirmed as deleted: these may be handled again. */
  readonly mayRepeat: number;
  /** Workers that did not end even after their signal aborted. */
  readonly unfinished: number;
}

/** How long a worker may take to end once its signal has aborted, in milliseconds. */
const AFTER_ABORT_MS = 5_000;
/** How long the broker may take to confirm everything, in milliseconds. */
const SETTLE_MS = 10_000;
const SETTLE_RETRY_MS = 250;

/**
 * Drains; takes at most `timeoutSeconds` and 15 s. `unfinished` gives the outcome of a message whose worker does not
 * end even after its signal aborted.
 */
export async function drain(
  sources: readonly Source[],
  slots: Slots,
  timeoutSeconds: number,
  unfinished: (delivery: Delivery) => Outcome,
): Promise<DrainReport> {
  const sum = (of: (source: Source) => number) => sources.reduce((total, source) => total + of(source), 0);
  const held = () => sum(({ leases }) => leases.size);
  const confirmed = () => sum(({ settler }) => settler.confirmed);
  const mayRepeat = () => sum(({ settler }) => settler.mayRepeat);
  const receivedMeanwhile = () => sum(({ receivedWhileDraining }) => receivedWhileDraining);
  const atStart = {
    held: held(),
    running: slots.running.size,
    confirmed: confirmed(),
    mayRepeat: mayRepeat(),
  };

  const receiving = Promise.all(sources.map(({ receiver }) => receiver.stop()));
  let unstarted = 0;
  for (const { waiting, settler } of sources) {
    for (const delivery of waiting.takeAll()) {
      settler.settle(delivery, released);
      unstarted += 1;
    }
  }
  await finish(slots, timeoutSeconds);
  await receiving;
  const endless = [...slots.running].filter(({ phase }) => phase === 'running');
  const repeated = endless.filter((delivery) => {
    const outcome = unfinished(delivery);
    delivery.source.settler.settle(delivery, outcome);
    return outcome.action === 'retry' && !delivery.deleted;
  });
  await Promise.all(sources.map(({ settler }) => settleAll(settler)));

  return {
    held: atStart.held + receivedMeanwhile(),
    finished: atStart.running - endless.length,
    released: unstarted + receivedMeanwhile(),
    confirmed: confirmed() - atStart.confirmed,
    mayRepeat: mayRepeat() - atStart.mayRepeat + repeated.length,
    unfinished: endless.length,
  };
}

async function finish(slots: Slots, timeoutSeconds: number): Promise<void> {
  const stopped = slots.stop();
  if (timeoutSeconds > 0 && (await endsWithin(stopped, timeoutSeconds * 1000))) return;
  for (const delivery of slots.running) abort(delivery, timeoutSeconds);
  await endsWithin(stopped, AFTER_ABORT_MS);
}

function abort(delivery: Delivery, timeoutSeconds: number): void {
  delivery.abort(
    new DrainTimeoutError(`The worker did not finish within the drain timeout of ${timeoutSeconds} s.`),
  );
}

async function settleAll(settler: Settler): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  await endsWithin(settler.flush(), SETTLE_MS);
  while (settler.unsettled > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_RETRY_MS));
    await endsWithin(settler.flush(), deadline - performance.now());
  }
  settler.giveUp();
}
