/** Opens a broker of one's own: imports what its address names, makes it, and checks that it is one. */
import { isClass, loadExpression, ModuleLoadError } from '../modules/load.ts';
import { ADDRESSES } from './address.ts';
import type { Broker } from './broker.ts';
import { BrokerError } from './errors.ts';

/** What a broker of one's own is made with. */
export interface BrokerOptions {
  /** The folder that relative paths start from, absolute: that of the ini file, else the working directory. */
  readonly directory: string;
}

/** What the address of a custom broker names: a function that opens it. A class serves, too: it is constructed. */
export type BrokerFactory = (options: BrokerOptions) => Broker | Promise<Broker>;

/** Everything that a broker has, and what it is. */
const PARTS: Readonly<Record<keyof Broker, 'string' | 'number' | 'boolean' | 'function'>> = {
  description: 'string',
  maxDelaySeconds: 'number',
  maxRequestBytes: 'number',
  makesQueues: 'boolean',
  open: 'function',
  create: 'function',
  remove: 'function',
  list: 'function',
  close: 'function',
};

/**
 * Opens the broker that `address` names, such as `./my-broker.ts:MyBroker` or `my-package:brokers.mine`. Relative paths and
 * packages are looked up from `directory`, which is absolute. Throws what its factory throws if that is a BrokerError,
 * and a BrokerError of kind `setup` if it cannot be imported or made, or lacks something that a broker has.
 */
export async function openCustom(address: string, directory: string): Promise<Broker> {
  const factory = await loadBrokerFactory(address, directory);
  let made: unknown;
  try {
    made = isClass(factory) ? Reflect.construct(factory, [{ directory }]) : await factory({ directory });
  } catch (cause) {
    if (cause instanceof BrokerError) throw cause;
    throw new BrokerError('setup', `The broker ${address} cannot be opened: ${messageOf(cause)}`, { cause });
  }
  const lacking = lackingParts(made);
  if (lacking.length === 0) return made as Broker;
  throw new BrokerError('setup', `What ${address} makes is no broker. It lacks: ${lacking.join(', ')}.`);
}

/** Imports what makes the broker, and makes none. Throws BrokerError of kind `setup`. */
export async function loadBrokerFactory(address: string, directory: string): Promise<BrokerFactory> {
  const found = await loadExpression(address, directory).catch((cause: unknown) => {
    if (!(cause instanceof ModuleLoadError)) throw cause;
    const text = `There is no broker ${address}: ${cause.message} Possible brokers: ${ADDRESSES}.`;
    throw new BrokerError('setup', text, { cause });
  });
  if (typeof found === 'function') return found as BrokerFactory;
  throw new BrokerError(
    'setup',
    `${address} is no broker: it should be a function that opens one, ({ directory }) => …, or a class.`,
  );
}

function lackingParts(made: unknown): string[] {
  const given = Object(made) as Partial<Record<string, unknown>>;
  return Object.entries(PARTS)
    .filter(([name, type]) => typeof given[name] !== type)
    .map(([name, type]) => `${name} (a ${type})`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
