/** Queues in memory, for specs: deterministic, without sockets, and on the clock that the spec gives. */
import type { Broker, CreateOptions } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { MAX_DELAY_SECONDS } from '../rules/limits.ts';
import { checkCreate } from '../rules/sqs-rules.ts';
import { MemoryQueue, type QueueOwner } from './queue.ts';

export class MemoryBroker implements Broker, QueueOwner {
  readonly description = 'memory:';
  /** That of SQS, for which this broker stands in. */
  readonly maxDelaySeconds: number = MAX_DELAY_SECONDS;
  readonly makesQueues = true;
  /** Those that were removed, too: a queue made again is the same object, so that whoever has it open works on. */
  readonly #queues = new Map<string, MemoryQueue>();
  #numbers = 0;

  /** Opens a queue, made with SQS's defaults if it does not exist. */
  async open(name: string): Promise<MemoryQueue> {
    return this.find(name) ?? this.#make(name, {});
  }

  async create(name: string, options: CreateOptions = {}): Promise<void> {
    const { deadLetterQueue } = options;
    if (deadLetterQueue && !this.find(deadLetterQueue.name)) {
      throw new QueueNotFoundError(deadLetterQueue.name, this.description);
    }
    this.#make(name, options);
  }

  async remove(name: string): Promise<void> {
    this.find(name)?.remove();
  }

  async list(prefix = ''): Promise<string[]> {
    const names = [...this.#queues.keys()];
    return names.filter((name) => name.startsWith(prefix) && this.find(name)).sort();
  }

  async close(): Promise<void> {
    for (const queue of this.#queues.values()) queue.close();
  }

  /** A queue that exists. */
  find(name: string): MemoryQueue | undefined {
    const queue = this.#queues.get(name);
    return queue?.exists ? queue : undefined;
  }

  /** The names of the queues whose dead-letter queue is that of this name. */
  async sourcesOf(name: string): Promise<string[]> {
    const names = await this.list();
    return names.filter((source) => this.find(source)?.deadLetterTarget?.name === name);
  }

  /** For the messages of all queues, in the order in which they come. */
  nextNumber(): number {
    this.#numbers += 1;
    return this.#numbers;
  }

  #make(name: string, options: CreateOptions): MemoryQueue {
    checkCreate(name, options, this.maxDelaySeconds);
    const queue = this.#queues.get(name) ?? new MemoryQueue(name, this);
    this.#queues.set(name, queue);
    queue.make(options);
    return queue;
  }
}
