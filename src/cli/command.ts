/** What a command of `sqs-queues` is: its part of the command line, what it then does, and with which broker and queues. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Argv } from 'yargs';
import { brokerKind, queueFile } from '../brokers/address.ts';
import type { Broker } from '../brokers/broker.ts';
import { BrokerError } from '../brokers/errors.ts';
import { openBroker } from '../brokers/open.ts';
import type { Config } from '../config/config.ts';
import { fullName } from '../config/queue-names.ts';
import { type ExitCode, UsageError } from '../host/exit-codes.ts';
import { environmentBroker } from '../producer/connections.ts';

/** The name of the program, for usage errors. */
export const COMMAND = 'sqs-queues';

/** Adds itself to the command line, and is chosen there. */
export type Command = (parser: Argv<CommonOptions>, choose: Choose) => Argv<CommonOptions>;

/** `given` is what the command line says, checked; `run` then does it. */
export type Choose = <Given extends object>(
  given: Given,
  run: (given: Given, context: CommandContext) => Promise<ExitCode>,
) => void;

/** The options that all commands have. */
export interface CommonOptions {
  readonly config: string | undefined;
  readonly broker: string | undefined;
  readonly json: boolean;
}

/** The positional arguments of a command: those that yargs found, and those behind a `--`, which it leaves in `_`. */
export function positionals(
  { _: [, ...behindDashes] }: { readonly _: readonly (string | number)[] },
  found: readonly string[] = [],
): string[] {
  return [...found, ...behindDashes.map(String)];
}

/** What a command works with: the broker and the queues of an ini file, or those at an address, by the names that they have there. */
export class CommandContext {
  /** Print JSON instead of text. */
  readonly json: boolean;
  readonly config: Config | undefined;
  readonly #given: string | undefined;
  #broker: Promise<Broker> | undefined;

  /** Neither an ini file nor an address: the environment's broker, else SQS. Throws ConfigError. */
  static async of({ config, broker, json }: CommonOptions): Promise<CommandContext> {
    if (config === undefined) return new CommandContext(json, undefined, broker);
    // Imported only for a file: without one, and for --help and completion, what checks it need not be loaded.
    const { readConfig } = await import('../config/config.ts');
    return new CommandContext(json, readConfig(config), broker);
  }

  private constructor(json: boolean, config: Config | undefined, broker: string | undefined) {
    this.json = json;
    this.config = config;
    this.#given = broker;
  }

  /** Opens the broker; it stays open until `close`. Throws BrokerError, and UsageError if nobody else can see its queues. */
  async broker(): Promise<Broker> {
    const address = this.#address();
    const path = brokerKind(address) === 'sqlite' ? queueFile(address, '') : undefined;
    // Who mistypes the path should hear of it, and find no new file there. A container makes the one of its ini file.
    if (path !== undefined && this.config === undefined && !existsSync(path) && existsSync(dirname(path))) {
      throw new BrokerError(
        'setup',
        `There is no queue file ${path}. Correct the path, or make it: ${COMMAND} create QUEUE -b ${address}`,
      );
    }
    return this.#open(address);
  }

  /** The same for a command that puts something there: it makes a queue file that is missing. */
  async brokerToFill(): Promise<Broker> {
    return this.#open(this.#address());
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

  #address(): string {
    return this.config?.container.broker ?? this.#given ?? environmentBroker() ?? 'sqs';
  }

  #open(address: string): Promise<Broker> {
    if (brokerKind(address) === 'memory') {
      const text =
        'The queues of memory: live and end with the process that has them; nobody else can see them.';
      throw new UsageError(COMMAND, text);
    }
    const { config } = this;
    this.#broker ??= openBroker(address, config && { directory: config.directory, sqs: config.sqs });
    return this.#broker;
  }
}
