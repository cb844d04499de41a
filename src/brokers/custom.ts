/** Loads a custom broker: imports the module in its address, instantiates it, and validates its shape. */
import { isClass, loadExpression, ModuleLoadError } from '../modules/load.ts';
import { isMistake } from '../modules/mistake.ts';
import { ADDRESSES } from './address.ts';
import type { Broker, Queue, QueueInspection, RequestLimits } from './broker.ts';
import { BrokerConfigError, BrokerError } from './errors.ts';

/** The options that a custom broker gets. */
export interface BrokerOptions {
  /** The absolute base folder for relative paths: the ini file's folder, or else the working directory. */
  readonly directory: string;
}

/** The export that a custom broker's address names: a function that opens the broker. It may also be a class. */
export type BrokerFactory = (options: BrokerOptions) => Broker | Promise<Broker>;

type Parts<Whole> = Readonly<Record<keyof Whole, 'string' | 'number' | 'boolean' | 'function' | 'object'>>;

/** The required members of a broker and their types. */
const BROKER_PARTS: Parts<Broker> = {
  description: 'string',
  maxDelaySeconds: 'number',
  makesQueues: 'boolean',
  open: 'function',
  create: 'function',
  remove: 'function',
  list: 'function',
  close: 'function',
};

const QUEUE_PARTS: Parts<Omit<Queue, 'inspect'>> = {
  name: 'string',
  fifo: 'boolean',
  visibilityTimeout: 'number',
  contentBasedDeduplication: 'boolean',
  abortsReceives: 'boolean',
  limits: 'object',
  receive: 'function',
  send: 'function',
  delete: 'function',
  changeVisibility: 'function',
  counts: 'function',
  purge: 'function',
};

const LIMITS_PARTS: Parts<RequestLimits> = {
  maxBatch: 'number',
  maxReceiveBytes: 'number',
  maxRequestBytes: 'number',
  maxMessageBytes: 'number',
};

/** Members that belonged to the queue itself in earlier builds of 0.1. */
const INSPECTION: Readonly<Record<keyof QueueInspection, true>> = {
  peek: true,
  oldest: true,
  deadLetterQueue: true,
  deadLetterSources: true,
  startMove: true,
};

/**
 * Opens the broker that `address` names, such as `./my-broker.ts:MyBroker` or `my-package:brokers.mine`. Relative paths and
 * packages are resolved from `directory`, which is absolute. Throws a BrokerError of kind `setup` if the broker cannot be
 * imported or created, or lacks a required member; a BrokerError from the factory is rethrown unchanged. The broker's `open`
 * also throws a BrokerError of kind `setup` for a queue that lacks a required member.
 */
export async function openCustom(address: string, directory: string): Promise<Broker> {
  const factory = await loadBrokerFactory(address, directory);
  let made: unknown;
  try {
    made = isClass(factory) ? Reflect.construct(factory, [{ directory }]) : await factory({ directory });
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    const text = `Cannot open the broker ${address}: ${messageOf(cause)}`;
    throw isMistake(cause)
      ? new BrokerConfigError(text, { cause })
      : new BrokerError('setup', text, { cause });
  }
  const lacking = lackingParts(made, BROKER_PARTS);
  if (lacking.length === 0) return checkingQueues(made as Broker, address);
  throw new BrokerConfigError(`${address} did not create a valid broker. Missing: ${lacking.join(', ')}.`);
}

/** Imports the broker's factory without calling it. Throws a BrokerError of kind `setup`. */
export async function loadBrokerFactory(address: string, directory: string): Promise<BrokerFactory> {
  const found = await loadExpression(address, directory).catch((cause: unknown) => {
    if (!(cause instanceof ModuleLoadError)) throw cause;
    const text = `Cannot load the broker ${address}: ${cause.message} Valid broker addresses: ${ADDRESSES}.`;
    throw new BrokerConfigError(text, { cause });
  });
  if (typeof found === 'function') return found as BrokerFactory;
  throw new BrokerConfigError(
    `${address} is not a broker: export a function that opens one, ({ directory }) => …, or a class.`,
  );
}

/**
 * Makes `open` validate each queue: a queue can be checked only once it is open. Patches the broker itself, because a
 * wrapper would hide its other members.
 */
function checkingQueues(broker: Broker, address: string): Broker {
  const open = broker.open.bind(broker);
  broker.open = async (name) => {
    const queue = await open(name);
    checkQueue(queue, name, address);
    return queue;
  };
  return broker;
}

/** Throws a BrokerError for a queue that lacks a required member, such as one written for an earlier build of 0.1. */
function checkQueue(queue: Queue, name: string, address: string): void {
  const lacking = lackingParts(queue, QUEUE_PARTS);
  if (typeof queue?.limits === 'object') {
    lacking.push(...lackingParts(queue.limits, LIMITS_PARTS).map((part) => `limits.${part}`));
  }
  const given = Object(queue) as object;
  const moved = queue?.inspect ? [] : Object.keys(INSPECTION).filter((part) => part in given);
  if (lacking.length + moved.length === 0) return;
  const problems = [
    ...(lacking.length > 0 ? [`Missing: ${lacking.join(', ')}.`] : []),
    ...(moved.length > 0 ? [`Move into its \`inspect\`: ${moved.join(', ')}.`] : []),
  ];
  throw new BrokerError(
    'setup',
    `The queue "${name}" from ${address} does not match the queue interface of this release. ${problems.join(' ')} See docs/brokers.md, "Brokers written for earlier builds of 0.1".`,
  );
}

function lackingParts(made: unknown, parts: Readonly<Record<string, string>>): string[] {
  const given = Object(made) as Partial<Record<string, unknown>>;
  return Object.entries(parts)
    .filter(([name, type]) => typeof given[name] !== type)
    .map(([name, type]) => `${name} (${type === 'object' ? 'an' : 'a'} ${type})`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
