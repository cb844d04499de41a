/**
 * The records by which a world is judged: every event of every message, from all processes and the broker. The world calls
 * a method when something happens; the first invariant that does not hold is the world's failure.
 */
import type { Message, OutgoingMessage, Queue, VisibilityChange } from '../src/brokers/broker.ts';
import type { DrainReport } from '../src/consumer/drain.ts';
import type { Outcome } from '../src/worker/outcome.ts';
import {
  brokenByDrain,
  brokenByGivingUp,
  brokenByStart,
  type Copy,
  type Delivery,
  type Drain,
  DUPLICATED,
  type Fate,
  type Invariant,
  inSeconds,
  type Violation,
} from './invariants.ts';
import type { Settings } from './plan.ts';
import type { SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** How a message was delivered. */
interface Receipt {
  /** The visibility timeout. */
  readonly seconds: number;
  /** True if the answer is slow or lost, or cannot get in. */
  readonly isDisturbed: boolean;
  readonly slackMs: number;
}

export interface LedgerOptions {
  readonly settings: Settings;
  readonly time: VirtualTime;
  readonly log: (who: string, what: string) => void;
  /** Whether this fault is known: it is counted, and the world goes on. */
  readonly isKnown: (invariant: Invariant) => boolean;
  /** Called when an invariant fails that is not known to. */
  readonly onViolation: (() => void) | undefined;
}

export class Ledger {
  /** The first invariant that did not hold. */
  violation: Violation | undefined;
  /** The known faults that were seen. */
  readonly known = new Set<Invariant>();
  readonly #options: LedgerOptions;
  readonly #settings: Settings;
  /** By body, by message id, and by receipt handle. */
  readonly #fates = new Map<string, Fate>();
  readonly #copies = new Map<string, Copy>();
  readonly #deliveries = new Map<string, Delivery>();
  readonly #drains = new Map<SimulatedProcess, Drain>();
  /** The positions of the last message of each group that reached the dead-letter queue, and that was redriven. */
  readonly #lastDead = new Map<string, number>();
  readonly #lastRedriven = new Map<string, number>();
  #positions = 0;
  /** False once a process could not keep its crash marks: then crash_limit has no effect. */
  #hasCrashRecord = true;

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** The messages whose senders know that the broker has them, and that are neither done nor buried. */
  get open(): Fate[] {
    return [...this.#fates.values()].filter((fate) => fate.isAcknowledged && !fate.isDone && !fate.isBuried);
  }

  // What senders and the broker do.

  /** The broker took a message. */
  sent(process: SimulatedProcess, queue: Queue, { body, groupId }: OutgoingMessage, id: string): void {
    const isDropped = this.#copies.has(id);
    this.#log(process, `${body} is sent to ${queue.name}${isDropped ? ' again, and dropped' : ''}`);
    if (isDropped) return;
    const fate = this.#fates.get(body) ?? this.#makeFate(body, queue.fifo ? groupId : undefined);
    for (const earlier of fate.copies) earlier.isSafe = true;
    const copy = this.#makeCopy(fate, id);
    if (isDead(queue)) {
      if (fate.isBuried) return;
      this.#buried(fate);
      this.#checkDeadLetterOrder(fate, this.#lastDead, fate.position, 'reaches the dead-letter queue');
      return;
    }
    if (fate.isBuried) {
      fate.isBuried = fate.isDone = false;
      this.#explain(fate, 'it was redriven');
      this.#checkDeadLetterOrder(fate, this.#lastRedriven, fate.deadPosition, 'is redriven');
    }
    fate.position = this.#positions += 1;
    copy.isAhead = fate.group !== undefined;
  }

  /** Its sender knows that the broker has it. */
  acknowledged(body: string): void {
    this.#fates.get(body)!.isAcknowledged = true;
  }

  /** The broker moved a message to the dead-letter queue. */
  moved(body: string, id: string): void {
    this.#log('broker', `${body} moves to the dead-letter queue: received too often`);
    this.#copies.get(id)!.isAhead = false;
    this.#buried(this.#fates.get(body)!);
  }

  /** SQS delivers a message that is in flight or deleted, or twice in one answer. */
  duplicated(id: string): void {
    const copy = this.#copies.get(id)!;
    this.#explain(copy.fate, DUPLICATED);
    copy.delayedUntil = undefined;
  }

  /** The broker delivered a message. */
  received(
    process: SimulatedProcess,
    queue: Queue,
    { id, body, receiptHandle, receiveCount }: Message,
    { seconds, isDisturbed, slackMs }: Receipt,
  ): void {
    this.#log(process, `receives ${body} from ${queue.name} (${receiveCount})`);
    const copy = this.#copies.get(id) ?? this.#makeCopy(this.#fates.get(body)!, id);
    if (isDisturbed) this.#explain(copy.fate, 'a request failed or was slow');
    if (process.isHalted) this.#explain(copy.fate, 'its process stood still');
    const early = (copy.delayedUntil ?? 0) - this.#now;
    if (early > 1)
      this.#fail('backoff', copy.fate, `comes back ${inSeconds(early)} before its delay is over`);
    const endsAt = this.#now + seconds * 1000;
    const delivery = { copy, process, receivedAt: this.#now, endsAt, slackMs };
    this.#deliveries.set(receiptHandle, delivery);
    copy.deliveries.push(delivery);
  }

  deleted(process: SimulatedProcess, queue: Queue, handle: string): void {
    const delivery = this.#deliveries.get(handle)!;
    const { copy } = delivery;
    const { deleteOnStart } = this.#settings;
    this.#log(process, `${copy.fate.body} is deleted from ${queue.name}`);
    delivery.isDeleted = true;
    if (!copy.isSafe && !deleteOnStart) this.#fail('deleted', copy.fate, 'is deleted, but was not handled');
    if (!deleteOnStart || isDead(queue)) return;
    copy.fate.isDone = true;
    copy.isAhead = false;
  }

  visibilityChanged(process: SimulatedProcess, { receiptHandle, seconds }: VisibilityChange): void {
    const delivery = this.#deliveries.get(receiptHandle)!;
    const { copy, outcome } = delivery;
    this.#log(process, `${copy.fate.body} is visible again in ${seconds} s`);
    delivery.endsAt = this.#now + seconds * 1000;
    // Its process gave it up, though its worker may not have noticed yet.
    if (seconds === 0) delivery.isLost = true;
    // Also if its worker ended while this request was on its way.
    if (seconds === 0 && delivery.wasStarted) this.#explain(copy.fate, 'its process drained');
    if (outcome?.action === 'retry' && outcome.delaySeconds === seconds) copy.delayedUntil = delivery.endsAt;
  }

  /** Something went wrong with a request about these messages, by receipt handle or body. */
  disturbed(keys: readonly string[]): void {
    for (const key of keys) {
      const fate = this.#deliveries.get(key)?.copy.fate ?? this.#fates.get(key);
      if (fate) this.#explain(fate, 'a request failed or was slow');
    }
  }

  // What processes do.

  /** It was stopped or blocked. */
  processHalted(process: SimulatedProcess): void {
    const drain = this.#drains.get(process);
    if (drain) drain.wasHalted = true;
    for (const { copy } of this.#heldBy(process)) this.#explain(copy.fate, 'its process stood still');
  }

  /** It ended without a drain. `cause` is the message that ended it. */
  processDied(process: SimulatedProcess, cause: Delivery | undefined): void {
    const own = cause?.copy.fate;
    own?.crashes.push(process.computer);
    for (const { copy, isRunning } of this.#heldBy(process)) {
      this.#explain(copy.fate, 'its process died');
      if (isRunning && copy.fate !== own) copy.fate.otherCrashes.add(own ?? process);
    }
  }

  /** A process could not open its crash record. */
  crashRecordFailed(): void {
    this.#hasCrashRecord = false;
  }

  /** A worker starts. */
  started(process: SimulatedProcess, handle: string): Delivery {
    const delivery = this.#deliveries.get(handle)!;
    const { copy, receivedAt } = delivery;
    this.#log(process, `starts ${copy.fate.body}`);
    const crashLimit = this.#hasCrashRecord ? this.#settings.crashLimit : 0;
    const isAhead = (other: Copy) => other.isAhead && other.fate.group === copy.fate.group;
    const first = copy.isAhead ? [...this.#copies.values()].find(isAhead) : undefined;
    this.#failAll(brokenByStart(delivery, this.#now, crashLimit, first), copy.fate);
    // What happened since it was received explains another repeat.
    if (copy.hasRun && copy.reason && copy.reason.since < receivedAt) copy.reason = undefined;
    copy.hasRun = true;
    delivery.isRunning = delivery.wasStarted = true;
    return delivery;
  }

  /** A worker returned, or threw. */
  ended(delivery: Delivery, how: 'succeeded' | 'failed'): void {
    const { copy, process } = delivery;
    this.#log(process, `${copy.fate.body} ${how}`);
    delivery.isRunning = false;
    if (how === 'failed') return;
    delivery.handledAt = process.time;
    copy.fate.isDone = copy.isSafe = true;
  }

  /** The run loop decided what becomes of a message. */
  decided(handle: string, outcome: Outcome, isGivenUp = false): void {
    const delivery = this.#deliveries.get(handle)!;
    const { copy, process } = delivery;
    const { fate } = copy;
    if (!process.isAlive) return;
    delivery.outcome = outcome;
    if (outcome.action === 'retry') this.#explain(fate, 'it is retried');
    if (outcome.action === 'retry') return;
    if (outcome.action === 'delete') fate.isDone = copy.isSafe = true;
    copy.isAhead = false;
    if (!isGivenUp) return;
    this.#log(process, `gives up ${fate.body}: it reached crash_limit`);
    this.#failAll(brokenByGivingUp(fate, this.#settings.crashLimit), fate);
  }

  /** The run loop has said that it may have lost a message. */
  leaseLost(handle: string): void {
    const delivery = this.#deliveries.get(handle)!;
    if (!delivery.process.isAlive) return;
    this.#log(delivery.process, `has lost ${delivery.copy.fate.body}`);
    delivery.isLost = true;
  }

  /** A process knows that deletes are confirmed. */
  confirmed(process: SimulatedProcess, count: number): void {
    const drain = this.#drains.get(process);
    if (drain) drain.confirmed += count;
  }

  drainStarts(process: SimulatedProcess): void {
    this.#log(process, 'drains');
    const running = this.#deliveriesTo(process).filter(({ isRunning }) => isRunning).length;
    this.#drains.set(process, { at: process.time, running, confirmed: 0 });
  }

  drained(process: SimulatedProcess, report: DrainReport): void {
    this.#log(process, `has drained: ${JSON.stringify(report)}`);
    const deliveries = this.#deliveriesTo(process);
    this.#failAll(brokenByDrain(process, report, this.#drains.get(process), deliveries, this.#settings));
    for (const { copy } of this.#heldBy(process)) this.#explain(copy.fate, 'its process drained');
  }

  /** Nothing has gone wrong for so long that everything should be handled; `left` is how many messages the queue has. */
  stuck(left: number): void {
    const [open] = this.open;
    this.#fail('progress', open, `is not handled; ${left} messages are left`);
  }

  /** Everything has drained. `left` is how many messages the queue has, `alive` how many processes have not ended. */
  finish(left: number, alive: number): void {
    const [open] = this.open;
    if (alive > 0) this.#fail('drainTime', undefined, `${alive} processes do not end`);
    if (open && left === 0) this.#fail('lost', open, 'is gone, and was not handled');
  }

  /** Notes why a message may run again. */
  #explain({ copies }: Fate, why: string): void {
    for (const copy of copies) copy.reason = { why, since: this.#now };
  }

  #buried(fate: Fate): void {
    fate.isBuried = true;
    fate.deadPosition = this.#positions += 1;
  }

  /** Checks that the messages of a group come in the order of their positions. */
  #checkDeadLetterOrder(fate: Fate, last: Map<string, number>, position: number, does: string): void {
    if (fate.group === undefined) return;
    if (position < (last.get(fate.group) ?? 0))
      this.#fail('deadLetterOrder', fate, `${does} after a later message`);
    last.set(fate.group, position);
  }

  /** The deliveries to a process of messages that run or are in flight. */
  #heldBy(process: SimulatedProcess): Delivery[] {
    return this.#deliveriesTo(process).filter(
      ({ isDeleted, isRunning, endsAt }) => !isDeleted && (isRunning || endsAt > this.#now),
    );
  }

  #deliveriesTo(process: SimulatedProcess): Delivery[] {
    return [...this.#deliveries.values()].filter((delivery) => delivery.process === process);
  }

  #makeFate(body: string, group: string | undefined): Fate {
    const none = { copies: [], position: 0, deadPosition: 0, crashes: [] };
    const fate: Fate = { body, group, ...none, otherCrashes: new Set() };
    this.#fates.set(body, fate);
    return fate;
  }

  #makeCopy(fate: Fate, id: string): Copy {
    const copy: Copy = { fate, deliveries: [] };
    fate.copies.push(copy);
    this.#copies.set(id, copy);
    return copy;
  }

  get #now(): number {
    return this.#options.time.now;
  }

  #log(who: SimulatedProcess | 'broker' | '', what: string): void {
    this.#options.log(typeof who === 'string' ? who : who.name, what);
  }

  #failAll(broken: Iterable<readonly [Invariant, string]>, fate?: Fate): void {
    for (const [invariant, happened] of broken) this.#fail(invariant, fate, happened);
  }

  /** Notes that an invariant does not hold; what happened instead, to `fate` if to one message. */
  #fail(invariant: Invariant, fate: Fate | undefined, happened: string): void {
    if (this.violation || fate?.isTainted) return;
    const text = fate ? `${fate.body} ${happened}` : happened;
    this.#log('', `!!! ${text}`);
    if (this.#options.isKnown(invariant)) {
      this.known.add(invariant);
      if (fate) fate.isTainted = true;
      return;
    }
    this.violation = { invariant, text };
    this.#options.onViolation?.();
  }
}

/** Whether this is the dead-letter queue. */
function isDead({ name }: Queue): boolean {
  return name.startsWith('failed');
}
