/** Where a command finds its queues: those of an ini file's broker, or of an address, by the names that they have there. */

import { brokerKind } from '../../src/brokers/address.ts';
import type { Broker } from '../../src/brokers/broker.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { fullName } from '../../src/config/queue-names.ts';
import { environmentBroker } from '../../src/producer/connections.ts';
import { UsageError } from '../usage-error.ts';
import type { PlaceOptions } from './command.ts';
import { COMMAND } from './values.ts';

export class Place {
  /** Print JSON instead of text. */
  readonly json: boolean;
  readonly config: Config | undefined;
  readonly #address: string | undefined;
  #broker: Promise<Broker> | undefined;

  /** Neither an ini file nor an address: the environment's broker, else SQS. Throws ConfigError. */
  constructor({ config, broker, json }: PlaceOptions) {
    this.json = json;
    this.config = config === undefined ? undefined : readConfig(config);
    this.#address = broker;
  }

  /** Opens the broker; it stays open until `close`. Throws BrokerError, and UsageError if nobody else can see its queues. */
  async broker(): Promise<Broker> {
    const { config } = this;
    const address = config?.container.broker ?? this.#address ?? environmentBroker() ?? 'sqs';
    if (brokerKind(address) === 'memory') {
      const text =
        'The queues of memory: live and end with the process that has them; nobody else can see them.';
      throw new UsageError(COMMAND, text);
    }
    this.#broker ??= openBroker(address, config && { directory: config.directory, sqs: config.sqs });
    return this.#broker;
  }

  /** The name of a queue at the broker: with the queue_prefix of the ini file. */
  fullName(name: string): string {
    return fullName(name, { prefix: this.config?.container.queuePrefix });
  }

  /** The queues that the ini file's worker handles. */
  get handled(): string[] {
    return this.config?.container.queue.map(({ name }) => this.fullName(name)) ?? [];
  }

  /** The dead-letter queue of the ini file. */
  get deadLetterQueue(): string | undefined {
    const name = this.config?.container.deadLetterQueue;
    return name === undefined ? undefined : this.fullName(name);
  }

  /** All queues that the ini file names. */
  get configured(): string[] {
    return [...this.handled, ...(this.deadLetterQueue === undefined ? [] : [this.deadLetterQueue])];
  }

  async close(): Promise<void> {
    const opened = await this.#broker?.catch(() => undefined);
    await opened?.close();
  }
}
