/** A broker in memory, for specs: deterministic, without sockets, and usable with a fake clock or in virtual time. */
import { type Machine, realMachine } from '../../host/host.ts';
import type { Broker, CreateOptions } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { MAX_DELAY_SECONDS } from '../rules/limits.ts';
import { checkCreate } from '../rules/sqs-rules.ts';
import { MemoryQueue, type QueueOwner } from './queue.ts';

export class MemoryBroker implements Broker, QueueOwner {
  readonly description = 'memory:';
  /** The same as for SQS, because this broker stands in for SQS. */
  readonly maxDelaySeconds: number = MAX_DELAY_SECONDS;
  readonly makesQueues = true;
  readonly machine: Machine;
  /** Includes removed queues: a queue that is created again is the same object, so that open references keep working. */
  readonly #queues = new Map<string, MemoryQueue>();
  #numbers = 0;

  /** `machine` provides the clock and the timers. Default: the real ones. */
  constructor({ machine = realMachine }: { readonly machine?: Machine } = {}) {
    this.machine = machine;
  }

  /** Opens a queue; creates it with SQS's defaults if it does not exist. */
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

  /** The queue with this name, unless it does not exist or was removed. */
  find(name: string): MemoryQueue | undefined {
    const queue = this.#queues.get(name);
    return queue?.exists ? queue : undefined;
  }

  /** The names of the queues that use this dead-letter queue. */
  async sourcesOf(name: string): Promise<string[]> {
    const names = await this.list();
    return names.filter((source) => this.find(source)?.deadLetterTarget?.name === name);
  }

  /** Numbers the messages in all queues, in the order in which they are sent. */
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
