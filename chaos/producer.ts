/**
 * Continuously sends numbered messages to a standard queue and a FIFO queue, and records which of them the broker
 * acknowledged. The others may or may not have been sent.
 */
import { elapsed, sleep } from '../harness/clock.ts';
import type { Broker, OutgoingMessage, Queue } from '../src/brokers/broker.ts';

/** The queues of a run. */
export const STANDARD_QUEUE = 'orders';
export const FIFO_QUEUE = 'steps.fifo';

const GROUPS = 8;
const BATCH = 10;
const PAUSE_MS = 50;
/** The pause after an error or while the queue has enough messages, in milliseconds. */
const LONG_PAUSE_MS = 200;

export interface SentMessage {
  readonly number: number;
  readonly queue: string;
  readonly group: string | undefined;
  readonly acknowledged: boolean;
  /** In milliseconds of `elapsed`. */
  readonly at: number;
}

export interface ProducerOptions {
  /** The broker as the containers see it. */
  readonly broker: Broker;
  /** The same broker without faults, to count messages. */
  readonly direct: Broker;
  /** Pauses while more messages than this are visible. */
  readonly backlog: number;
  /** How many messages to send in total. */
  readonly messages: number;
}

interface QueueToFill {
  readonly queue: Queue;
  readonly direct: Queue;
}

export class Producer {
  /** In the order in which they were sent. */
  readonly sent: SentMessage[] = [];
  readonly #options: ProducerOptions;
  readonly #queues: readonly QueueToFill[];
  #stopped = false;
  #next = 0;

  constructor(options: ProducerOptions, queues: readonly QueueToFill[]) {
    this.#options = options;
    this.#queues = queues;
  }

  /** Opens the queues; must be called before any faults. */
  static async open(options: ProducerOptions): Promise<Producer> {
    const opened = [STANDARD_QUEUE, FIFO_QUEUE].map(async (name) => ({
      queue: await options.broker.open(name),
      direct: await options.direct.open(name),
    }));
    return new Producer(options, await Promise.all(opened));
  }

  /** Sends until `stop`, or until all messages are sent. */
  async run(): Promise<void> {
    await Promise.all(this.#queues.map((each) => this.#fill(each)));
  }

  stop(): void {
    this.#stopped = true;
  }

  async #fill({ queue, direct }: QueueToFill): Promise<void> {
    const { backlog, messages } = this.#options;
    while (!this.#stopped && this.#next < messages) {
      const isFull = await direct.counts().then(
        ({ visible }) => visible > backlog,
        () => false,
      );
      const pauseMs = isFull || !(await this.#send(queue)) ? LONG_PAUSE_MS : PAUSE_MS;
      await sleep(pauseMs);
    }
  }

  /** True if all messages were acknowledged. */
  async #send(queue: Queue): Promise<boolean> {
    const numbers = Array.from(
      { length: Math.min(BATCH, this.#options.messages - this.#next) },
      (_, index) => this.#next + index,
    );
    this.#next += numbers.length;
    const outgoing = numbers.map((number) => messageOf(number, queue.fifo));
    const at = elapsed();
    const results = await queue.send(outgoing).catch(() => undefined);
    for (const [index, number] of numbers.entries()) {
      this.sent.push({
        number,
        queue: queue.name,
        group: outgoing[index]!.groupId,
        acknowledged: results?.[index]?.ok === true,
        at,
      });
    }
    return results?.every(({ ok }) => ok) ?? false;
  }
}

function messageOf(number: number, fifo: boolean): OutgoingMessage {
  const body = String(number);
  return fifo ? { body, groupId: `group-${number % GROUPS}`, deduplicationId: body } : { body };
}
