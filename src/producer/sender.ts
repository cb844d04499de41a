/**
 * Sends messages to one queue. Calls made together share requests of ten, within the broker's size limit, and each gets
 * its own result. `LazySender` does the same for a queue that is opened on first use.
 */
import { Batcher } from '../brokers/batcher.ts';
import type { Broker, OutgoingMessage, Queue, SendResult } from '../brokers/broker.ts';
import { BrokerError, NO_RESULT } from '../brokers/errors.ts';
import { MAX_ATTRIBUTES } from '../brokers/rules/limits.ts';
import { messageSize } from '../brokers/rules/messages.ts';
import { fullName } from '../config/queue-names.ts';
import { type Machine, realMachine } from '../host/host.ts';
import { type Connection, connect } from './connections.ts';
import { type Accepted, SendError } from './send-results.ts';

interface Pending {
  readonly message: OutgoingMessage;
  readonly bytes: number;
  readonly resolve: (accepted: Accepted) => void;
  readonly reject: (error: Error) => void;
}

/** The message group on a FIFO queue if a call does not name one. */
const DEFAULT_GROUP = 'default';
/** The most concurrent requests: a batch of a million calls must not open a hundred thousand connections. */
const REQUESTS_AT_ONCE = 20;

export class Sender {
  readonly #broker: Pick<Broker, 'description' | 'maxDelaySeconds'>;
  readonly #queue: Queue;
  readonly #machine: Machine;
  readonly #batcher: Batcher<Pending>;

  /** `machine` provides the IDs and the timers. */
  constructor(
    broker: Pick<Broker, 'description' | 'maxDelaySeconds'>,
    queue: Queue,
    machine: Machine = realMachine,
  ) {
    this.#broker = broker;
    this.#queue = queue;
    this.#machine = machine;
    // On FIFO queues, requests are sent one at a time, to arrive in order.
    const limiter = new ConcurrencyLimiter(queue.fifo ? 1 : REQUESTS_AT_ONCE);
    this.#batcher = new Batcher({
      machine,
      delayMs: 0,
      maxEntries: queue.limits.maxBatch,
      send: (batch) => limiter.run(() => this.#sendBatch(batch)),
      bytes: { of: ({ bytes }) => bytes, max: queue.limits.maxRequestBytes },
    });
  }

  /** Resolves when the broker has the message. Throws SendError or BrokerError. */
  async send(outgoing: OutgoingMessage): Promise<Accepted> {
    const message = this.#complete(outgoing);
    const bytes = messageSize(message);
    this.#checkLimits(message, bytes);
    return new Promise((resolve, reject) => this.#batcher.add({ message, bytes, resolve, reject }));
  }

  /** Rounds the delay up to whole seconds. On FIFO queues, adds a message group and a deduplication id. */
  #complete(message: OutgoingMessage): OutgoingMessage {
    const { delaySeconds, groupId, deduplicationId } = message;
    const whole =
      delaySeconds === undefined ? message : { ...message, delaySeconds: Math.ceil(delaySeconds) };
    if (!this.#queue.fifo) return whole;
    const inGroup = { ...whole, groupId: groupId ?? DEFAULT_GROUP };
    // Two equal calls are two messages, unless the queue deduplicates by content.
    if (deduplicationId !== undefined || this.#queue.contentBasedDeduplication) return inGroup;
    return { ...inGroup, deduplicationId: this.#machine.uuid() };
  }

  #checkLimits(message: OutgoingMessage, bytes: number): void {
    const { maxDelaySeconds, description } = this.#broker;
    const { maxMessageBytes } = this.#queue.limits;
    const { delaySeconds = 0, attributes = {} } = message;
    if (!(delaySeconds >= 0 && delaySeconds <= maxDelaySeconds)) {
      throw new SendError(
        `A delay of ${delaySeconds} s is not possible; ${description} supports 0 to ${maxDelaySeconds} s. For longer delays, use a scheduler to send the message when it is due (on AWS: EventBridge Scheduler).`,
        message,
      );
    }
    const count = Object.keys(attributes).length;
    if (count > MAX_ATTRIBUTES) {
      throw new SendError(
        `The message has ${count} attributes, including those of its task; a message can have at most ${MAX_ATTRIBUTES}. Put the data in the body.`,
        message,
      );
    }
    if (bytes > maxMessageBytes) {
      throw new SendError(
        `The message has ${bytes} bytes; ${description} accepts at most ${maxMessageBytes}. Store the data elsewhere and send a reference to it.`,
        message,
      );
    }
  }

  async #sendBatch(batch: readonly Pending[]): Promise<void> {
    try {
      const results = await this.#queue.send(batch.map(({ message }) => message));
      batch.forEach((pending, index) => {
        this.#settle(pending, results[index]);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
    }
  }

  #settle({ message, resolve, reject }: Pending, result: SendResult | undefined): void {
    if (result?.ok) {
      const { messageId, sequenceNumber } = result;
      resolve(sequenceNumber === undefined ? { messageId } : { messageId, sequenceNumber });
      return;
    }
    const { code, message: reason } = result ?? NO_RESULT;
    const text = `The queue "${this.#queue.name}" refused the message: ${code}: ${reason}`;
    reject(new SendError(text, message, code));
  }
}

/** A FIFO concurrency limiter: at most `max` tasks run at once, and the others start in order. */
export class ConcurrencyLimiter {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(max: number) {
    this.#free = max;
  }

  /** Runs the task when a slot is free. Resolves or rejects with the task's result. */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      // Hand the slot directly to the next in line, so that a newcomer cannot take it.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}

/**
 * A sender for a queue by name, used by producers and tasks. Opens the queue with the first message, and again if the
 * queue was deleted or the broker was replaced.
 */
export class LazySender {
  readonly #name: string;
  readonly #address: string | undefined;
  #sender: Promise<Sender> | undefined;
  #broker: Broker | undefined;

  constructor(name: string, address: string | undefined) {
    this.#name = name;
    this.#address = address;
  }

  /** Resolves when the broker has the message. Throws SendError, QueueNotFoundError or BrokerError. */
  async send(message: OutgoingMessage): Promise<Accepted> {
    try {
      const connection = await connect(this.#address);
      const accepted = await (await this.#open(connection)).send(message);
      await connection.onSent?.(accepted.messageId);
      return accepted;
    } catch (error) {
      if (error instanceof BrokerError && error.kind === 'missing') this.#sender = undefined;
      throw error;
    }
  }

  #open({ broker, prefix }: Connection): Promise<Sender> {
    if (!this.#sender || this.#broker !== broker) {
      this.#broker = broker;
      const name = fullName(this.#name, { prefix });
      this.#sender = broker.open(name).then((opened) => new Sender(broker, opened));
      this.#sender.catch(() => {
        this.#sender = undefined;
      });
    }
    return this.#sender;
  }
}
