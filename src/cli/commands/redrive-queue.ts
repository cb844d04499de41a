/** Moves the messages of a dead-letter queue back, by the broker itself or one by one. */
import type { Broker, Move, MoveUnderWay, Queue } from '../../brokers/broker.ts';
import { type MoveReport, moveMessages } from '../../queues/move-messages.ts';
import { follow } from '../../queues/moves.ts';
import { openExisting } from '../../queues/open-existing.ts';
import { matcher, targetsOf } from '../../queues/redriving.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { interruptible } from '../interrupt.ts';
import type { Place } from '../place.ts';
import { Progress } from '../progress.ts';
import { print, printJson } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import { COMMAND, countOf } from '../values.ts';
import type { Redrive } from './redrive.ts';

export async function redriveQueue(given: Redrive, place: Place): Promise<ExitCode> {
  const name = given.queue === undefined ? place.deadLetterQueue : place.fullName(given.queue);
  if (name === undefined) {
    throw new UsageError(COMMAND, 'Name a dead-letter queue, or with -c an ini file that has one.');
  }
  const broker = await place.broker();
  const source = await openExisting(broker, name);
  const to = given.to === undefined ? undefined : place.fullName(given.to);
  if (to === name) throw new UsageError(COMMAND, `${name} cannot get its own messages; name another queue.`);
  const { handled, deadLetterQueue } = place;
  const targets = await targetsOf(source, { to, handled, deadLetterQueue });
  const [target] = targets;
  if (target === undefined) {
    throw new UsageError(
      COMMAND,
      `Nothing says which queue the messages of ${name} belong to: say --to QUEUE.`,
    );
  }
  const isOneTarget = targets.length === 1;
  if (isOneTarget) await openExisting(broker, target);
  const move = isForBroker(given) ? await source.startMove?.(isOneTarget ? target : undefined) : undefined;
  if (move) return moveByBroker(move, source, isOneTarget ? target : 'the queues that they came from', place);
  if (isOneTarget) return moveOneByOne(given, { broker, source, target }, place);
  throw new UsageError(
    COMMAND,
    `The messages of ${name} belong to several queues (${targets.join(', ')}): say which one gets them with --to QUEUE.`,
  );
}

/** What a broker moves by itself is everything. */
function isForBroker({ filter, limit, isDryRun }: Redrive): boolean {
  return matcher(filter, 0) === undefined && limit === undefined && !isDryRun;
}

async function moveByBroker(move: MoveUnderWay, source: Queue, to: string, place: Place): Promise<ExitCode> {
  const progress = new Progress();
  const show = ({ moved, total = moved }: Move) => progress.show(total - moved);
  const { moved, isCancelled } = await interruptible((signal) => follow(move, signal, show)).finally(() =>
    progress.end(),
  );
  if (place.json) printJson({ from: source.name, to, moved, isCancelled });
  else print(`Moved ${countOf(moved, 'message')} of ${source.name} to ${to}`);
  return isCancelled ? exitCodes.unfinished : exitCodes.done;
}

interface Way {
  readonly broker: Broker;
  readonly source: Queue;
  /** The name of the queue that gets them. */
  readonly target: string;
}

async function moveOneByOne(given: Redrive, way: Way, place: Place): Promise<ExitCode> {
  const { broker, source, target } = way;
  const { limit, isDryRun } = given;
  const progress = new Progress();
  let isInterrupted = false;
  const came: { report?: MoveReport } = {};
  try {
    await interruptible(async (signal) => {
      came.report = await moveMessages(broker, source, await broker.open(target), {
        matches: matcher(given.filter, Date.now()),
        limit,
        isDryRun,
        signal,
        onProgress: (report) => {
          came.report = report;
          progress.show(report.total - report.looked);
        },
      });
      isInterrupted = signal.aborted;
    });
  } finally {
    progress.end();
    // What was moved is said also if the rest fails.
    if (came.report) tell(came.report, given, way, place);
  }
  if ((came.report?.failed.length ?? 0) > 0) return exitCodes.unavailable;
  return isInterrupted ? exitCodes.unfinished : exitCodes.done;
}

function tell(report: MoveReport, given: Redrive, { source, target }: Way, place: Place): void {
  const { total, looked, moved, failed } = report;
  for (const { error } of failed) process.stderr.write(`${error.message}\n`);
  const ends = { from: source.name, to: target };
  if (place.json) {
    const counts = given.isDryRun ? { moved: 0, wouldMove: moved } : { moved };
    printJson({ ...ends, ...counts, looked, total, failed: failed.length });
  } else {
    print(describeMove(report, given, ends));
  }
}

/** What came of it, and what was not looked at though nothing had been said of a limit. */
export function describeMove(
  { total, looked, moved }: MoveReport,
  { isDryRun, limit }: Pick<Redrive, 'isDryRun' | 'limit'>,
  { from, to }: { readonly from: string; readonly to: string },
): string {
  const count = `${moved.toLocaleString('en-US')} of ${countOf(total, 'message')}`;
  const done = isDryRun
    ? `${count} of ${from} would be moved to ${to}`
    : `Moved ${count} of ${from} to ${to}`;
  const unseen = total - looked;
  if (unseen <= 0 || (limit !== undefined && moved >= limit)) return done;
  return `${done}; ${countOf(unseen, 'message')} could not be looked at`;
}
