/**
 * What must hold in every world. Each check looks at the records of the messages when something happens, and returns what
 * does not hold: an invariant, and what happened instead.
 */
import type { DrainReport } from '../src/consumer/drain.ts';
import type { Outcome } from '../src/worker/outcome.ts';
import type { Settings } from './plan.ts';
import type { Computer, SimulatedProcess } from './process.ts';

/** The promises, each with the words that a failure is reported in. */
export const INVARIANTS = {
  lost: 'An acknowledged message is not lost',
  deleted: 'A message is deleted only when it was handled, or on_error was done',
  order: 'Messages of a group are handled in order',
  deadLetterOrder: 'Messages of a group keep their order in the dead-letter queue and when they are redriven',
  repeat: 'A message runs again only after a fault',
  announced: 'A message that may run again after a drain is in its report',
  backoff: 'A retried message does not come back before its delay is over',
  startedLate: 'A message does not start when its visibility timeout is over',
  twiceInProcess: 'A message does not run twice at once in one process',
  twoOwners: 'A message does not run in a second process while the first could know that it lost it',
  drainTime: 'A drain ends within its time',
  receipt: 'The report of a drain is true',
  crashLimit: 'crash_limit counts the crashes of the message itself',
  progress: 'Without faults, everything is handled',
  leak: 'No timer is left after a drain',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  readonly invariant: Invariant;
  /** What happened instead. */
  readonly text: string;
}

type Broken = Generator<readonly [Invariant, string]>;

/** The life of a message, through all its copies. */
export interface Fate {
  readonly body: string;
  /** On FIFO queues. */
  readonly group: string | undefined;
  readonly copies: Copy[];
  /** Its sender knows that the broker has it. */
  isAcknowledged?: boolean;
  /** A worker handled it, or it failed and on_error says to delete it, or crash_limit gave it up. */
  isDone?: boolean;
  /** It is in the dead-letter queue. */
  isBuried?: boolean;
  /** A known fault has hit it: whatever else happens to it is a consequence. */
  isTainted?: boolean;
  /** Increases with each message that reaches the queue, and that reaches the dead-letter queue. */
  position: number;
  deadPosition: number;
  /** The computers on which it ended its process itself. */
  readonly crashes: Computer[];
  /** What else ended a process while it ran: other messages, or the process was killed. */
  readonly otherCrashes: Set<Fate | SimulatedProcess>;
}

/** A message with an id of its own. Another is made when it moves to another queue. */
export interface Copy {
  readonly fate: Fate;
  readonly deliveries: Delivery[];
  /** Why it may run again, and since when; undefined: it may not. */
  reason?: { readonly why: string; readonly since: number } | undefined;
  hasRun?: boolean;
  /** It may be deleted: it was handled, or copied. */
  isSafe?: boolean;
  /** FIFO: it is not decided, and those behind it in its group wait. */
  isAhead?: boolean;
  /** It is retried after a delay that ends at this time. */
  delayedUntil?: number | undefined;
}

/** A delivery of a message to a process, and the run of its worker. */
export interface Delivery {
  readonly copy: Copy;
  readonly process: SimulatedProcess;
  readonly receivedAt: number;
  /** When the message becomes visible again, by the broker's clock. */
  endsAt: number;
  /** How much later its process may believe that it does, in milliseconds. */
  readonly slackMs: number;
  isRunning?: boolean;
  wasStarted?: boolean;
  /** When its worker succeeded. */
  handledAt?: number;
  isDeleted?: boolean;
  /** Its process knows that the message may be lost. */
  isLost?: boolean;
  /** What its process has decided. */
  outcome?: Outcome;
}

/** The drain of a process, since somebody asked for it. */
export interface Drain {
  readonly at: number;
  /** How many workers ran when it began. */
  readonly running: number;
  /** How many deletes the process knows to be confirmed since. */
  confirmed: number;
  /** The process was stopped or blocked since. */
  wasHalted?: boolean;
}

/** The reason of a message that SQS delivered twice. */
export const DUPLICATED = 'SQS delivered it twice';
/** How much longer than `drain_timeout` a drain may take, in milliseconds. */
const DRAIN_MS = 15_500;

/** A worker starts. `first` is the first message of its group that is not decided, `crashLimit` 0 if none is kept. */
export function* brokenByStart(
  delivery: Delivery,
  now: number,
  crashLimit: number,
  first: Copy | undefined,
): Broken {
  const { copy, process } = delivery;
  const late = process.time - delivery.endsAt;
  if (late >= delivery.slackMs && !delivery.isDeleted) {
    yield ['startedLate', `starts ${inSeconds(late)} after its visibility timeout`];
  }
  for (const other of copy.deliveries) yield* brokenBySecondRun(delivery, other, now);
  const crashes = copy.fate.crashes.filter((computer) => computer === process.computer).length;
  if (crashLimit > 0 && crashes >= crashLimit) {
    yield ['crashLimit', `runs again after it ended its process ${crashes} times`];
  }
  // A start that is late, as far as that is allowed, explains itself.
  if (copy.hasRun && !copy.reason && late < 0) yield ['repeat', 'runs again, and nothing explains it'];
  if (copy.isAhead && first && first !== copy) {
    yield ['order', `starts before ${first.fate.body} of the same group is done`];
  }
}

/** A worker starts. `other` is another delivery of the same message. */
function* brokenBySecondRun({ copy, process, receivedAt }: Delivery, other: Delivery, now: number): Broken {
  const { name, isAlive, isHalted } = other.process;
  const isRunning = other.isRunning && isAlive;
  if (other.process === process) {
    if (isRunning) yield ['twiceInProcess', `runs twice at once in ${name}`];
    if (other.handledAt !== undefined && other.handledAt >= receivedAt) {
      yield ['twiceInProcess', `runs in ${name}, which has handled it since it received it`];
    }
    return;
  }
  const hasGivenUp = other.isLost || other.outcome || other.isDeleted;
  const cannotKnow = isHalted || now < other.endsAt + other.slackMs || copy.reason?.why === DUPLICATED;
  if (isRunning && !hasGivenUp && !cannotKnow) {
    yield ['twoOwners', `also runs in ${name}, which does not know`];
  }
}

/** crash_limit gives a message up. */
export function* brokenByGivingUp({ crashes, otherCrashes }: Fate, crashLimit: number): Broken {
  if (crashes.length + otherCrashes.size >= crashLimit) return;
  yield [
    'crashLimit',
    `is given up after ${crashes.length} crashes of its own and ${otherCrashes.size} others`,
  ];
}

/** A drain is over. `deliveries` are all to its process; `drain` is undefined if nobody asked for it. */
export function* brokenByDrain(
  { name, time, timers }: SimulatedProcess,
  report: DrainReport,
  drain: Drain | undefined,
  deliveries: readonly Delivery[],
  { drainTimeout, deleteOnStart }: Settings,
): Broken {
  const { finished, unfinished, confirmed, mayRunAgain } = report;
  const untold = deliveries.filter(
    ({ copy, outcome, isLost }) =>
      outcome &&
      outcome.action !== 'retry' &&
      !(isLost || copy.fate.isTainted || copy.deliveries.some(({ isDeleted }) => isDeleted)),
  );
  if (untold.length > mayRunAgain) {
    const bodies = untold.map(({ copy }) => copy.fate.body).join(', ');
    yield ['announced', `${bodies} may run again, but the report says ${mayRunAgain}`];
  }
  if (unfinished === 0 && timers > 0) yield ['leak', `${timers} timers are left in ${name}`];
  if (!drain) return;
  const took = time - drain.at;
  if (took > drainTimeout * 1000 + DRAIN_MS && !drain.wasHalted) {
    yield ['drainTime', `${name} drains for ${inSeconds(took)}`];
  }
  // Workers that end after the drain has given up on them count as unfinished.
  const running = deliveries.filter(({ isRunning }) => isRunning).length;
  const isTrue = finished + unfinished === drain.running && unfinished >= running;
  if (deleteOnStart || (isTrue && confirmed === drain.confirmed)) return;
  const truth = `${drain.running - running} finished, ${running} did not end, ${drain.confirmed} confirmed`;
  yield ['receipt', `The report of ${name} is wrong: ${truth}`];
}

export function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}
