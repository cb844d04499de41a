/** Opens a broker of one's own: imports what its address names, makes it, and checks that it is one. */
import { isClass, loadExpression, ModuleLoadError } from '../modules/load.ts';
import { isMistake } from '../modules/mistake.ts';
import { ADDRESSES } from './address.ts';
import type { Broker, Queue, QueueInspection } from './broker.ts';
import { BrokerConfigError, BrokerError } from './errors.ts';

/** What a broker of one's own is made with. */
export interface BrokerOptions {
  /** The folder that relative paths start from, absolute: that of the ini file, else the working directory. */
  readonly directory: string;
}

/** What the address of a custom broker names: a function that opens it. A class serves, too: it is constructed. */
export type BrokerFactory = (options: BrokerOptions) => Broker | Promise<Broker>;

type Parts<Whole> = Readonly<Record<keyof Whole, 'string' | 'number' | 'boolean' | 'function' | 'object'>>;

/** Everything that a broker has, and what it is. */
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

/** What was a part of the queue itself in 0.1. */
const INSPECTION: Readonly<Record<keyof QueueInspection, true>> = {
  peek: true,
  oldest: true,
  deadLetterQueue: true,
  deadLetterSources: true,
  startMove: true,
};

/**
 * Opens the broker that `address` names, such as `./my-broker.ts:MyBroker` or `my-package:brokers.mine`. Relative paths and
 * packages are looked up from `directory`, which is absolute. Throws what its factory throws if that is a BrokerError,
 * and a BrokerError of kind `setup` if it cannot be imported or made, or lacks something that a broker has. Its `open` throws
 * one, too, for a queue that lacks something.
 */
export async function openCustom(address: string, directory: string): Promise<Broker> {
  const factory = await loadBrokerFactory(address, directory);
  let made: unknown;
  try {
    made = isClass(factory) ? Reflect.construct(factory, [{ directory }]) : await factory({ directory });
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    const text = `The broker ${address} cannot be opened: ${messageOf(cause)}`;
    throw isMistake(cause)
      ? new BrokerConfigError(text, { cause })
      : new BrokerError('setup', text, { cause });
  }
  const lacking = lackingParts(made, BROKER_PARTS);
  if (lacking.length === 0) return checkingQueues(made as Broker, address);
  throw new BrokerConfigError(`What ${address} makes is no broker. It lacks: ${lacking.join(', ')}.`);
}

/** Imports what makes the broker, and makes none. Throws BrokerError of kind `setup`. */
export async function loadBrokerFactory(address: string, directory: string): Promise<BrokerFactory> {
  const found = await loadExpression(address, directory).catch((cause: unknown) => {
    if (!(cause instanceof ModuleLoadError)) throw cause;
    const text = `There is no broker ${address}: ${cause.message} Possible brokers: ${ADDRESSES}.`;
    throw new BrokerConfigError(text, { cause });
  });
  if (typeof found === 'function') return found as BrokerFactory;
  throw new BrokerConfigError(
    `${address} is no broker: it should be a function that opens one, ({ directory }) => …, or a class.`,
  );
}

/**
 * Changes the broker itself, because a wrapper would hide what else it is. A queue can be checked only once it is open.
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

/** Throws a BrokerError for a queue that lacks something, such as one that was written for 0.1. */
function checkQueue(queue: Queue, name: string, address: string): void {
  const lacking = lackingParts(queue, QUEUE_PARTS);
  const given = Object(queue) as object;
  const moved = queue?.inspect ? [] : Object.keys(INSPECTION).filter((part) => part in given);
  if (lacking.length + moved.length === 0) return;
  const problems = [
    ...(lacking.length > 0 ? [`It lacks: ${lacking.join(', ')}.`] : []),
    ...(moved.length > 0 ? [`Move into its \`inspect\`: ${moved.join(', ')}.`] : []),
  ];
  throw new BrokerError(
    'setup',
    `The queue "${name}" that ${address} opens does not fit this release. ${problems.join(' ')} docs/brokers.md ("Brokers written for 0.1") says what to change.`,
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
