/**
 * The end of a run, in this order: no more receives; what has not started goes back at once; workers may finish within
 * the drain timeout, then their signals abort; everything is settled. The report says what became of all that was held.
 */
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
  /** Handled, but not confirmed as deleted: these may be handled again. */
  readonly mayRepeat: number;
  /** Workers that did not end even after their signal aborted. */
  readonly unfinished: number;
}

/** How long a worker may take to end once its signal has aborted, in milliseconds. */
const AFTER_ABORT_MS = 5_000;
/** How long the broker may take to confirm everything, in milliseconds. */
const SETTLE_MS = 10_000;
const SETTLE_RETRY_MS = 250;

/** What a message gets that is given back: it is visible at once. */
export const released = { action: 'retry', delaySeconds: 0 } as const;

/** Drains; takes at most `timeoutSeconds` and 15 s. */
export async function drain(
  sources: readonly Source[],
  slots: Slots,
  timeoutSeconds: number,
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
  const unfinished = [...slots.running];
  for (const delivery of unfinished) delivery.source.settler.settle(delivery, released);
  await Promise.all(sources.map(({ settler }) => settleAll(settler)));

  return {
    held: atStart.held + receivedMeanwhile(),
    finished: atStart.running - unfinished.length,
    released: unstarted + receivedMeanwhile(),
    confirmed: confirmed() - atStart.confirmed,
    mayRepeat: mayRepeat() - atStart.mayRepeat + unfinished.length,
    unfinished: unfinished.length,
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
  while (settler.retrying > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_RETRY_MS));
    await endsWithin(settler.flush(), deadline - performance.now());
  }
  settler.giveUp();
}
