/**
 * The end of a run, in this order: stop receiving; return unstarted messages to the queue; give workers the drain
 * timeout to finish, then abort their signals; settle everything. The report accounts for every message held.
 */
import type { ContainerSettings } from '../config/config.ts';
import { type Machine, resolvesWithin } from '../host/host.ts';
import type { ConsumedQueue } from './consumed-queue.ts';
import { DrainTimeoutError, type HeldMessage } from './held-message.ts';
import { type RunOptions, unfinished } from './run-worker.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settler } from './settler.ts';

/** What happened to the messages held when the drain started. */
export interface DrainReport {
  /** Messages held when the drain started, plus those from the last receives. */
  readonly held: number;
  /** Workers that finished during the drain. */
  readonly finished: number;
  /** Messages returned to the queue unstarted. */
  readonly returned: number;
  /** Deletes confirmed during the drain. */
  readonly confirmed: number;
  /** Messages started or handled whose delete was not confirmed: they may run again. */
  readonly mayRunAgain: number;
  /** Workers that did not end even after their signal aborted, or that started too late to end. */
  readonly unfinished: number;
}

/** What the drain works on. */
export interface Drained {
  readonly queues: readonly ConsumedQueue[];
  readonly scheduler: Scheduler<ConsumedQueue>;
  /** Resolves when no receive is in progress. */
  readonly receivers: Promise<unknown>;
  /** Resolves when no slot is busy. */
  readonly slots: Promise<unknown>;
  readonly settings: Pick<ContainerSettings, 'drainTimeout'>;
  readonly options: RunOptions;
}

/** How long a worker may take to end after its signal aborts, in milliseconds. */
const AFTER_ABORT_MS = 5_000;
/** How long the broker may take to confirm everything, in milliseconds. */
const SETTLE_MS = 10_000;
const SETTLE_RETRY_MS = 250;

/** Drains; takes at most `drainTimeout` and 15 s. */
export async function drain(drained: Drained): Promise<DrainReport> {
  const { queues, scheduler, settings, options } = drained;
  const sum = (of: (queue: ConsumedQueue) => number) => queues.reduce((total, queue) => total + of(queue), 0);
  const confirmed = () => sum(({ settler }) => settler.confirmed);
  const mayRunAgain = () => sum(({ settler }) => settler.mayRunAgain);
  const atStart = {
    held: countHeld(queues, scheduler),
    running: scheduler.turns.size,
    confirmed: confirmed(),
    mayRunAgain: mayRunAgain(),
  };

  const unstarted = sum((queue) => queue.returnWaiting());
  await finish(drained);
  await drained.receivers;
  const endless = [...scheduler.turns].filter(({ held }) => held.startedAt !== undefined);
  const unsettled = endless.filter(({ queue, held }) => {
    // Its worker has ended and the message is settled; only afterMessage is still running.
    if (held.state !== 'running') return false;
    const outcome = unfinished(held, queue, options);
    queue.settle(held, outcome);
    return outcome.action === 'retry' && !held.deleted;
  });
  await Promise.all(queues.map(({ settler }) => settleAll(settler, options.machine)));
  // `delete_on_start`: the delete was confirmed only now, and the worker has no time left.
  const startedTooLate = [...scheduler.turns].filter((turn) => turn.held.deleted && !endless.includes(turn));
  for (const { held } of startedTooLate) abort(held, settings.drainTimeout);
  const unended = endless.length + startedTooLate.length;

  return {
    held: atStart.held + sum(({ receivedWhileDraining }) => receivedWhileDraining),
    finished: atStart.running - unended,
    returned: unstarted + sum(({ returnedWhileDraining }) => returnedWhileDraining),
    confirmed: confirmed() - atStart.confirmed,
    mayRunAgain: mayRunAgain() - atStart.mayRunAgain + unsettled.length,
    unfinished: unended,
  };
}

/**
 * How many messages are held: waiting, running and settling, including those that are done, or whose lease is over, but
 * whose slot is not free yet.
 */
export function countHeld(
  queues: readonly Pick<ConsumedQueue, 'leases'>[],
  { turns }: Pick<Scheduler<ConsumedQueue>, 'turns'>,
): number {
  let count = 0;
  for (const { leases } of queues) count += leases.size;
  for (const { held } of turns) if (held.leaseIsOver || held.state === 'done') count += 1;
  return count;
}

async function finish({ scheduler, slots, settings, options }: Drained): Promise<void> {
  const { drainTimeout } = settings;
  if (drainTimeout > 0 && (await resolvesWithin(options.machine, slots, drainTimeout * 1000))) return;
  for (const { held } of scheduler.turns) abort(held, drainTimeout);
  await resolvesWithin(options.machine, slots, AFTER_ABORT_MS);
}

function abort(held: HeldMessage, timeoutSeconds: number): void {
  held.abort(
    new DrainTimeoutError(`The worker did not finish within the drain timeout of ${timeoutSeconds} s.`),
  );
}

async function settleAll(settler: Settler, machine: Machine): Promise<void> {
  const deadline = machine.now() + SETTLE_MS;
  await resolvesWithin(machine, settler.flush(), SETTLE_MS);
  while (settler.unsettled > 0 && machine.now() < deadline) {
    await new Promise<void>((resolve) => machine.setTimeout(resolve, SETTLE_RETRY_MS));
    await resolvesWithin(machine, settler.flush(), deadline - machine.now());
  }
  settler.giveUp();
}
