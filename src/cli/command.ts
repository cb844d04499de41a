/** A command of `sqs-queues`: how it is declared and chosen, and the broker and queues it works with. */
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

/** Adds itself to the parser, and calls `choose` if the command line names it. */
export type Command = (parser: Argv<CommonOptions>, choose: Choose) => Argv<CommonOptions>;

/** `given` holds the validated arguments; `run` executes the command. */
export type Choose = <Given extends object>(
  given: Given,
  run: (given: Given, context: CommandContext) => Promise<ExitCode>,
) => void;

/** The options of all commands. */
export interface CommonOptions {
  readonly config: string | undefined;
  readonly broker: string | undefined;
  readonly json: boolean;
}

/** The positional arguments of a command: those that yargs found, and those after a `--`, which yargs leaves in `_`. */
export function positionals(
  { _: [, ...afterDashes] }: { readonly _: readonly (string | number)[] },
  found: readonly string[] = [],
): string[] {
  return [...found, ...afterDashes.map(String)];
}

/** The broker and queues of a command: those of an ini file, or those at an address, without a prefix. */
export class CommandContext {
  /** Print JSON instead of text. */
  readonly json: boolean;
  readonly config: Config | undefined;
  readonly #given: string | undefined;
  #broker: Promise<Broker> | undefined;

  /** Without an ini file and an address: the environment's broker, otherwise SQS. Throws ConfigError. */
  static async of({ config, broker, json }: CommonOptions): Promise<CommandContext> {
    if (config === undefined) return new CommandContext(json, undefined, broker);
    // Imported only for a file, so that other runs, --help and completion do not load the validation.
    const { readConfig } = await import('../config/config.ts');
    return new CommandContext(json, readConfig(config), broker);
  }

  private constructor(json: boolean, config: Config | undefined, broker: string | undefined) {
    this.json = json;
    this.config = config;
    this.#given = broker;
  }

  /** Opens the broker until `close`. Throws BrokerError, and UsageError for the memory broker, which no other process can see. */
  async broker(): Promise<Broker> {
    const address = this.#address();
    const path = brokerKind(address) === 'sqlite' ? queueFile(address, '') : undefined;
    // A mistyped path is an error and must not create a file. The queue file of an ini file is created by its container.
    if (path !== undefined && this.config === undefined && !existsSync(path) && existsSync(dirname(path))) {
      throw new BrokerError(
        'setup',
        `The queue file ${path} does not exist. Correct the path, or create it: ${COMMAND} create QUEUE -b ${address}`,
      );
    }
    return this.#open(address);
  }

  /** The same for a command that adds queues or messages: creates a missing queue file. */
  async brokerToFill(): Promise<Broker> {
    return this.#open(this.#address());
  }

  /** The name of a queue at the broker: with the queue_prefix of the ini file. */
  fullName(name: string): string {
    return fullName(name, { prefix: this.config?.container.queuePrefix });
  }

  /** The queues that the ini file's container consumes. */
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
        'Queues in memory: exist only in the process that opened them; other processes cannot see them.';
      throw new UsageError(COMMAND, text);
    }
    const { config } = this;
    this.#broker ??= openBroker(address, config && { directory: config.directory, sqs: config.sqs });
    return this.#broker;
  }
}
