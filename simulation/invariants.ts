/**
 * What must hold in every world, and what it is judged by: every event of every message, from all processes and the
 * broker. Each check is a method that the world calls when something happens; the first one that does not hold is the
 * world's failure.
 */
import type { Message, OutgoingMessage, Queue, VisibilityChange } from '../src/brokers/broker.ts';
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

/** The life of a message, through all its copies and deliveries. */
export interface Fate {
  readonly body: string;
  readonly group: string | undefined;
  /** Its sender knows that the broker has it. */
  isAcknowledged: boolean;
  /** A worker handled it, or it failed and on_error says to delete it, or crash_limit gave it up. */
  isDone: boolean;
  /** It is in the dead-letter queue. */
  isBuried: boolean;
  /** Its message ids, and since when the message with each may run again, and why; undefined: it may not. */
  readonly reasons: Map<string, { readonly why: Reason; readonly since: number } | undefined>;
  /** Increases with each message that reaches the queue, and that reaches the dead-letter queue. */
  position: number;
  deadPosition: number;
  /** How often its process was killed while it ran. */
  kills: number;
  /** How often it ended its process itself, by computer. */
  readonly crashes: Map<Computer, number>;
  /** The other messages that ended a process while it ran in it. */
  readonly crashedBeside: Set<Fate>;
  /** A known fault has hit it: whatever else happens to it is a consequence. */
  isTainted: boolean;
}

/** Why a message may run again. */
type Reason =
  | 'it is retried'
  | 'it was redriven'
  | 'SQS delivered it twice'
  | 'a request failed or was slow'
  | 'its process stood still'
  | 'its process died'
  | 'its process drained';

/** A delivery of a message to a process, and the run of its worker. */
export interface Delivery {
  readonly fate: Fate;
  readonly process: SimulatedProcess;
  readonly messageId: string;
  readonly handle: string;
  readonly receivedAt: number;
  /** When the message becomes visible again, by the broker's clock. */
  endsAt: number;
  /** When its worker ended. */
  endedAt: number;
  isDeleted: boolean;
  isRunning: boolean;
  /** Its worker succeeded. */
  isHandled: boolean;
  /** How much later than `endsAt` its process may believe that its visibility timeout ends, in milliseconds. */
  readonly slackMs: number;
  /** Its process knows that the message may be lost. */
  isLost: boolean;
  /** What its process has decided. */
  outcome: Outcome | undefined;
}

/** How messages were delivered. */
interface Receipt {
  /** The visibility timeout. */
  readonly seconds: number;
  /** True if the answer is slow or lost, or cannot get in. */
  readonly isDisturbed: boolean;
  readonly slackMs: number;
}

/** What is known about a process. */
interface Holder {
  readonly computer: Computer;
  readonly deliveries: Set<Delivery>;
  /** How many deletes it knows to be confirmed. */
  confirmed: number;
  /** It was stopped or blocked since its drain began. */
  wasHalted: boolean;
}

/** What a process held when its drain began. */
export interface DrainStart {
  readonly at: number;
  readonly running: number;
  readonly confirmed: number;
}

/** How much longer than `drain_timeout` a drain may take, in milliseconds. */
const DRAIN_MS = 15_500;

export class Ledger {
  /** The first invariant that did not hold. */
  violation: Violation | undefined;
  /** The known faults that were seen. */
  readonly known = new Set<Invariant>();
  readonly #settings: Settings;
  readonly #isKnown: (invariant: Invariant) => boolean;
  readonly #onViolation: (() => void) | undefined;
  readonly #now: () => number;
  readonly #log: (who: string, what: string) => void;
  readonly #fates = new Map<string, Fate>();
  readonly #deliveries = new Map<string, Delivery>();
  readonly #hasRun = new Set<string>();
  /** The messages that may be deleted: they were handled, or copied. */
  readonly #safeIds = new Set<string>();
  readonly #deletedIds = new Set<string>();
  readonly #running = new Set<Delivery>();
  readonly #holders = new Map<SimulatedProcess, Holder>();
  /** When messages that are retried after a delay may come back, by message id. */
  readonly #delayedUntil = new Map<string, number>();
  /** FIFO: the messages of each group that are not decided, in order, by message id. */
  readonly #lines = new Map<string | undefined, Map<string, Fate>>();
  readonly #lastDead = new Map<string | undefined, number>();
  readonly #lastRedriven = new Map<string | undefined, number>();
  #positions = 0;
  /** False once a process could not keep its crash marks: then crash_limit has no effect. */
  #hasCrashRecord = true;

  constructor({ settings, isKnown, onViolation, now, log }: LedgerOptions) {
    this.#onViolation = onViolation;
    this.#settings = settings;
    this.#isKnown = isKnown;
    this.#now = now;
    this.#log = log;
  }

  /** The messages whose senders know that the broker has them, and that are neither done nor buried. */
  get open(): Fate[] {
    return [...this.#fates.values()].filter((fate) => fate.isAcknowledged && !fate.isDone && !fate.isBuried);
  }

  // What senders and the broker do.

  /** The broker took a message. */
  sent(process: SimulatedProcess, queue: Queue, { body, groupId }: OutgoingMessage, id: string): void {
    const fate = this.#fates.get(body) ?? this.#make(body, queue.fifo ? groupId : undefined);
    if (fate.reasons.has(id)) {
      this.#log(process.name, `${body} is sent to ${queue.name} again, and dropped`);
      return;
    }
    this.#log(process.name, `${body} is sent to ${queue.name}`);
    // Its earlier copies may go.
    for (const earlier of fate.reasons.keys()) this.#safeIds.add(earlier);
    fate.reasons.set(id, undefined);
    if (isDead(queue)) this.#buried(fate, queue.fifo);
    else if (fate.isBuried) this.#redriven(fate, id, queue.fifo);
    else this.#arrived(fate, id);
  }

  /** Its sender knows that the broker has it. */
  acknowledged(body: string): void {
    this.#fates.get(body)!.isAcknowledged = true;
  }

  /** The broker moved a message to the dead-letter queue. */
  moved(body: string, id: string): void {
    const fate = this.#fates.get(body)!;
    this.#log('broker', `${body} moves to the dead-letter queue: received too often`);
    this.#leavesLine(fate, id);
    this.#entersDeadLetterQueue(fate);
  }

  /** SQS delivers a message that is in flight or deleted, or twice in one answer. */
  duplicated(id: string, body: string): void {
    this.#explain(this.#fates.get(body)!, 'SQS delivered it twice');
    this.#delayedUntil.delete(id);
  }

  /** The broker delivered messages. */
  received(
    process: SimulatedProcess,
    queue: Queue,
    messages: readonly Message[],
    { seconds, isDisturbed, slackMs }: Receipt,
  ): void {
    const now = this.#now();
    for (const { id, body, receiptHandle: handle, receiveCount } of messages) {
      this.#log(process.name, `receives ${body} from ${queue.name} (${receiveCount})`);
      const fate = this.#fates.get(body)!;
      if (!fate.reasons.has(id)) fate.reasons.set(id, undefined);
      if (isDisturbed) this.#explain(fate, 'a request failed or was slow');
      if (process.isHalted) this.#explain(fate, 'its process stood still');
      const early = (this.#delayedUntil.get(id) ?? 0) - now;
      if (early > 1)
        this.#fail('backoff', fate, `${body} comes back ${inSeconds(early)} before its delay is over`);
      const delivery = { fate, process, messageId: id, handle, slackMs };
      const times = { receivedAt: now, endsAt: now + seconds * 1000, endedAt: Number.NEGATIVE_INFINITY };
      const state = {
        isDeleted: false,
        isRunning: false,
        isHandled: false,
        isLost: false,
        outcome: undefined,
      };
      const made: Delivery = { ...delivery, ...times, ...state };
      this.#deliveries.set(handle, made);
      this.#holders.get(process)?.deliveries.add(made);
    }
  }

  deleted(process: SimulatedProcess, queue: Queue, handle: string): void {
    const delivery = this.#deliveries.get(handle)!;
    const { fate } = delivery;
    this.#log(process.name, `${fate.body} is deleted from ${queue.name}`);
    delivery.isDeleted = true;
    this.#deletedIds.add(delivery.messageId);
    const isSafe = this.#safeIds.has(delivery.messageId) || this.#settings.deleteOnStart;
    if (!isSafe) this.#fail('deleted', fate, `${fate.body} is deleted, but was not handled`);
    if (!this.#settings.deleteOnStart || isDead(queue)) return;
    fate.isDone = true;
    this.#leavesLine(fate, delivery.messageId);
  }

  visibilityChanged(process: SimulatedProcess, _: Queue, { receiptHandle, seconds }: VisibilityChange): void {
    const delivery = this.#deliveries.get(receiptHandle)!;
    this.#log(process.name, `${delivery.fate.body} is visible again in ${seconds} s`);
    delivery.endsAt = this.#now() + seconds * 1000;
    // Its process gave it up, though its worker may not have noticed yet.
    if (seconds === 0) {
      delivery.isLost = true;
      if (delivery.isRunning) this.#explain(delivery.fate, 'its process drained');
    }
    const { outcome, messageId } = delivery;
    if (outcome?.action === 'retry' && outcome.delaySeconds === seconds) {
      this.#delayedUntil.set(messageId, delivery.endsAt);
    }
  }

  /** Something went wrong with a request for these receipt handles, visibility changes or messages. */
  disturbed(entries: readonly unknown[]): void {
    for (const entry of entries) {
      const handle = typeof entry === 'string' ? entry : (entry as Partial<VisibilityChange>).receiptHandle;
      const { body = '' } = entry as Partial<OutgoingMessage>;
      const fate = handle === undefined ? this.#fates.get(body) : this.#deliveries.get(handle)?.fate;
      if (fate) this.#explain(fate, 'a request failed or was slow');
    }
  }

  // What processes do.

  processStarted(process: SimulatedProcess, computer: Computer): void {
    this.#holders.set(process, { computer, deliveries: new Set(), confirmed: 0, wasHalted: false });
  }

  /** It was stopped or blocked. */
  processHalted(process: SimulatedProcess): void {
    const holder = this.#holders.get(process);
    if (!holder) return;
    holder.wasHalted = true;
    for (const { fate } of this.#heldBy(process)) this.#explain(fate, 'its process stood still');
  }

  /** It ended without a drain. `cause` is the message that ended it. */
  processDied(process: SimulatedProcess, cause?: Delivery): void {
    const holder = this.#holders.get(process);
    if (!holder) return;
    if (cause) {
      const { crashes } = cause.fate;
      crashes.set(holder.computer, (crashes.get(holder.computer) ?? 0) + 1);
    }
    for (const delivery of this.#heldBy(process)) {
      this.#explain(delivery.fate, 'its process died');
      if (!delivery.isRunning || delivery.fate === cause?.fate) continue;
      if (cause) delivery.fate.crashedBeside.add(cause.fate);
      else delivery.fate.kills += 1;
    }
    this.processEnded(process);
  }

  /** A process could not open its crash record. */
  crashRecordFailed(): void {
    this.#hasCrashRecord = false;
  }

  /** A worker starts. */
  started(process: SimulatedProcess, handle: string): Delivery {
    const delivery = this.#deliveries.get(handle)!;
    const { fate, messageId } = delivery;
    this.#log(process.name, `starts ${fate.body}`);
    const late = process.time - delivery.endsAt;
    if (late >= delivery.slackMs && !delivery.isDeleted) {
      this.#fail('startedLate', fate, `${fate.body} starts ${inSeconds(late)} after its visibility timeout`);
    }
    for (const other of this.#running) if (other.messageId === messageId) this.#checkAlone(delivery, other);
    this.#checkHandled(delivery);
    this.#checkCrashes(process, fate);
    if (this.#hasRun.has(messageId)) {
      const isExplained = fate.reasons.get(messageId) !== undefined;
      if (!isExplained) this.#fail('repeat', fate, `${fate.body} runs again, and nothing explains it`);
      // What happened since it was received explains another repeat.
      if ((fate.reasons.get(messageId)?.since ?? 0) < delivery.receivedAt)
        fate.reasons.set(messageId, undefined);
    }
    this.#hasRun.add(messageId);
    this.#checkOrder(fate, messageId);
    delivery.isRunning = true;
    this.#running.add(delivery);
    return delivery;
  }

  /** A worker returned, or threw. */
  ended(delivery: Delivery, how: 'succeeded' | 'failed'): void {
    this.#log(delivery.process.name, `${delivery.fate.body} ${how}`);
    delivery.isRunning = false;
    delivery.endedAt = delivery.process.time;
    this.#running.delete(delivery);
    if (how === 'failed') return;
    delivery.fate.isDone = delivery.isHandled = true;
    this.#safeIds.add(delivery.messageId);
  }

  /** The run loop decided what becomes of a message. */
  decided(handle: string, outcome: Outcome, isGivenUp = false): void {
    const delivery = this.#deliveries.get(handle)!;
    const { fate, messageId } = delivery;
    if (!delivery.process.isAlive) return;
    delivery.outcome = outcome;
    if (outcome.action === 'retry') {
      this.#explain(fate, 'it is retried');
      return;
    }
    if (outcome.action === 'delete') {
      fate.isDone = true;
      this.#safeIds.add(delivery.messageId);
    }
    this.#leavesLine(fate, messageId);
    if (!isGivenUp) return;
    this.#log(delivery.process.name, `gives up ${fate.body}: it reached crash_limit`);
    const own = [...fate.crashes.values()].reduce((sum, count) => sum + count, 0);
    const most = own + fate.kills + fate.crashedBeside.size;
    if (most < this.#settings.crashLimit) {
      this.#fail(
        'crashLimit',
        fate,
        `${fate.body} is given up after ${own} crashes of its own and ${fate.kills} kills`,
      );
    }
  }

  /** The run loop has said that it may have lost a message. */
  leaseLost(handle: string): void {
    const delivery = this.#deliveries.get(handle)!;
    if (!delivery.process.isAlive) return;
    this.#log(delivery.process.name, `has lost ${delivery.fate.body}`);
    delivery.isLost = true;
  }

  /** A process knows that deletes are confirmed. */
  confirmed(process: SimulatedProcess, count: number): void {
    const holder = this.#holders.get(process);
    if (holder) holder.confirmed += count;
  }

  drainStarts(process: SimulatedProcess): DrainStart {
    const holder = this.#holders.get(process)!;
    holder.wasHalted = false;
    this.#log(process.name, 'drains');
    return { at: process.time, running: this.#runningIn(process), confirmed: holder.confirmed };
  }

  /** A drain is over. `start` is undefined if nobody asked for it. */
  drained(process: SimulatedProcess, report: DrainReport, start: DrainStart | undefined): void {
    const { confirmed, wasHalted } = this.#holders.get(process)!;
    const running = this.#runningIn(process);
    const { finished, mayRunAgain, unfinished } = report;
    this.#log(process.name, `has drained: ${JSON.stringify(report)}`);
    const untold = [...this.#holders.get(process)!.deliveries].filter(
      ({ fate, messageId, outcome, isLost }) =>
        outcome &&
        outcome.action !== 'retry' &&
        !isLost &&
        !this.#deletedIds.has(messageId) &&
        !fate.isTainted,
    );
    if (untold.length > mayRunAgain) {
      const bodies = untold.map(({ fate }) => fate.body).join(', ');
      this.#fail('announced', undefined, `${bodies} may run again, but the report says ${mayRunAgain}`);
    }
    for (const { fate } of this.#heldBy(process)) this.#explain(fate, 'its process drained');
    if (unfinished === 0 && process.timers > 0) {
      this.#fail('leak', undefined, `${process.timers} timers are left in ${process.name}`);
    }
    if (!start) return;
    const took = process.time - start.at;
    const most = this.#settings.drainTimeout * 1000 + DRAIN_MS;
    if (took > most && !wasHalted) {
      this.#fail('drainTime', undefined, `${process.name} drains for ${inSeconds(took)}`);
    }
    if (this.#settings.deleteOnStart) return;
    // Workers that end after the drain has given up on them count as unfinished.
    const isTrue = finished + unfinished === start.running && unfinished >= running;
    if (!isTrue || report.confirmed !== confirmed - start.confirmed) {
      const truth = `${start.running - running} finished, ${running} did not end, ${confirmed - start.confirmed} confirmed`;
      this.#fail('receipt', undefined, `The report of ${process.name} is wrong: ${truth}`);
    }
  }

  /** The process is gone, after its drain. */
  processEnded(process: SimulatedProcess): void {
    this.#holders.delete(process);
    for (const delivery of this.#running) if (delivery.process === process) this.#running.delete(delivery);
  }

  /** Nothing has gone wrong for so long that everything should be handled; `left` is how many messages the queue has. */
  stuck(left: number): void {
    const [open] = this.open;
    this.#fail('progress', open, `${left} messages are left: ${open?.body ?? 'all handled'}`);
  }

  /**
   * Everything has drained. `left` is how many messages the queue has, `alive` how many processes have not ended.
   */
  finish(left: number, alive: number): void {
    const [open] = this.open;
    if (alive > 0) this.#fail('drainTime', undefined, `${alive} processes do not end`);
    if (open && left === 0) this.#fail('lost', open, `${open.body} is gone, and was not handled`);
  }

  /** Notes why a message may run again. */
  #explain({ reasons }: Fate, why: Reason): void {
    for (const id of reasons.keys()) reasons.set(id, { why, since: this.#now() });
  }

  #make(body: string, group: string | undefined): Fate {
    const flags = { isAcknowledged: false, isDone: false, isBuried: false, isTainted: false };
    const counts = {
      position: 0,
      deadPosition: 0,
      kills: 0,
      crashes: new Map(),
      crashedBeside: new Set<Fate>(),
    };
    const fate: Fate = { body, group, reasons: new Map(), ...flags, ...counts };
    this.#fates.set(body, fate);
    return fate;
  }

  #arrived(fate: Fate, id: string): void {
    this.#positions += 1;
    fate.position = this.#positions;
    if (fate.group === undefined) return;
    const line = this.#lines.get(fate.group) ?? new Map();
    this.#lines.set(fate.group, line.set(id, fate));
  }

  #leavesLine(fate: Fate, id: string): void {
    this.#lines.get(fate.group)?.delete(id);
  }

  #entersDeadLetterQueue(fate: Fate): void {
    fate.isBuried = true;
    this.#positions += 1;
    fate.deadPosition = this.#positions;
  }

  #buried(fate: Fate, isFifo: boolean): void {
    if (fate.isBuried) return;
    this.#entersDeadLetterQueue(fate);
    if (!isFifo) return;
    if (fate.position < (this.#lastDead.get(fate.group) ?? 0)) {
      this.#fail('deadLetterOrder', fate, `${fate.body} reaches the dead-letter queue after a later message`);
    }
    this.#lastDead.set(fate.group, fate.position);
  }

  #redriven(fate: Fate, id: string, isFifo: boolean): void {
    fate.isBuried = fate.isDone = false;
    this.#explain(fate, 'it was redriven');
    this.#arrived(fate, id);
    if (!isFifo) return;
    if (fate.deadPosition < (this.#lastRedriven.get(fate.group) ?? 0)) {
      this.#fail('deadLetterOrder', fate, `${fate.body} is redriven after a later message`);
    }
    this.#lastRedriven.set(fate.group, fate.deadPosition);
  }

  #checkOrder(fate: Fate, messageId: string): void {
    const line = this.#lines.get(fate.group);
    const [ahead] = line?.has(messageId) ? line : [];
    if (!ahead || ahead[0] === messageId) return;
    this.#fail('order', fate, `${fate.body} starts before ${ahead[1].body} of the same group is done`);
  }

  /** Checks a start against another run of the same message that has not ended. */
  #checkAlone({ process, fate }: Delivery, other: Delivery): void {
    if (other.process === process) {
      this.#fail('twiceInProcess', fate, `${fate.body} runs twice at once in ${process.name}`);
    } else if (!mayNotKnow(other, this.#now())) {
      if (fate.reasons.get(other.messageId)?.why === 'SQS delivered it twice') return;
      this.#fail('twoOwners', fate, `${fate.body} also runs in ${other.process.name}, which does not know`);
    }
  }

  /** Checks a start against the other deliveries of the same message to the same process. */
  #checkHandled({ process, fate, messageId, receivedAt }: Delivery): void {
    for (const other of this.#holders.get(process)!.deliveries) {
      if (other.messageId !== messageId || !other.isHandled || other.endedAt < receivedAt) continue;
      this.#fail(
        'twiceInProcess',
        fate,
        `${fate.body} runs in ${process.name}, which has handled it since it received it`,
      );
    }
  }

  #checkCrashes(process: SimulatedProcess, fate: Fate): void {
    const { crashLimit } = this.#settings;
    const crashes = fate.crashes.get(this.#holders.get(process)!.computer) ?? 0;
    if (this.#hasCrashRecord && crashLimit > 0 && crashes >= crashLimit) {
      this.#fail('crashLimit', fate, `${fate.body} runs again after it ended its process ${crashes} times`);
    }
  }

  #runningIn(process: SimulatedProcess): number {
    return [...this.#running].filter((delivery) => delivery.process === process).length;
  }

  /** The deliveries to a process of messages that run or are in flight. */
  #heldBy(process: SimulatedProcess): Delivery[] {
    return [...(this.#holders.get(process)?.deliveries ?? [])].filter(
      ({ isDeleted, isRunning, endsAt }) => !isDeleted && (isRunning || endsAt > this.#now()),
    );
  }

  #fail(invariant: Invariant, fate: Fate | undefined, text: string): void {
    if (this.violation || fate?.isTainted) return;
    this.#log('', `!!! ${text}`);
    if (!this.#isKnown(invariant)) {
      this.violation = { invariant, text };
      this.#onViolation?.();
      return;
    }
    this.known.add(invariant);
    if (fate) fate.isTainted = true;
  }
}

export interface LedgerOptions {
  readonly settings: Settings;
  /** Whether this fault is known: it is counted, and the world goes on. */
  readonly isKnown: (invariant: Invariant) => boolean;
  /** Called when an invariant fails that is not known to. */
  readonly onViolation?: (() => void) | undefined;
  /** Milliseconds since the world began. */
  readonly now: () => number;
  readonly log: (who: string, what: string) => void;
}

/** True if the process of a delivery has given it up, or cannot know that it has lost it. */
function mayNotKnow(
  { process, isLost, outcome, isDeleted, endsAt, slackMs }: Delivery,
  now: number,
): boolean {
  return isLost || outcome !== undefined || isDeleted || process.isHalted || now < endsAt + slackMs;
}

/** Whether this is the dead-letter queue. */
function isDead({ name }: Queue): boolean {
  return name.startsWith('failed');
}

function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(3)} s`;
}
