// A custom broker: each queue is a folder, each message a file, and several processes on a machine can share them.
// Every receive lists the whole folder: good for hundreds of messages that people want to see and move by hand.
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Broker,
  BrokerError,
  type BrokerOptions,
  type CreateOptions,
  checkCreate,
  QueueNotFoundError,
} from 'sqs-containers/broker';
import { ifThere, writeWhole } from './files.ts';
import { FolderQueue, readSettings, SETTINGS_FILE } from './folder-queue.ts';

export class FolderBroker implements Broker {
  readonly description: string;
  /** A year; any limit would work. */
  readonly maxDelaySeconds = 365 * 24 * 60 * 60;
  readonly makesQueues = true;
  readonly #queues: string;
  readonly #ending = new AbortController();

  /** Uses the folder `queues` next to the ini file, or in the working directory. */
  constructor({ directory }: BrokerOptions) {
    this.#queues = join(directory, 'queues');
    this.description = `the folder ${this.#queues}`;
  }

  async open(name: string): Promise<FolderQueue> {
    if (!this.#names().includes(name)) this.#make(name, {});
    return new FolderQueue(name, this.#queues, this.maxDelaySeconds, this.#ending.signal);
  }

  async create(name: string, options: CreateOptions = {}): Promise<void> {
    this.#make(name, options);
  }

  async remove(name: string): Promise<void> {
    if (this.#names().includes(name)) rmSync(join(this.#queues, name), { recursive: true, force: true });
  }

  async list(prefix = ''): Promise<string[]> {
    return this.#names().filter((name) => name.startsWith(prefix));
  }

  async close(): Promise<void> {
    this.#ending.abort();
  }

  #make(name: string, options: CreateOptions): void {
    checkCreate(name, options, this.maxDelaySeconds);
    if (name.endsWith('.fifo')) {
      throw new BrokerError('rejected', `There are no FIFO queues in ${this.description}: not "${name}".`);
    }
    const { deadLetterQueue } = options;
    if (deadLetterQueue && !this.#names().includes(deadLetterQueue.name)) {
      throw new QueueNotFoundError(deadLetterQueue.name, this.description);
    }
    const folder = join(this.#queues, name);
    mkdirSync(folder, { recursive: true });
    writeWhole(join(folder, SETTINGS_FILE), JSON.stringify({ ...readSettings(folder), ...options }));
  }

  #names(): string[] {
    const names = ifThere(() => readdirSync(this.#queues)) ?? [];
    return names.filter((name) => readSettings(join(this.#queues, name))).sort();
  }
}
