/**
 * The brokers shared by the producers in this process: one per address, opened on first use. A test container replaces
 * them with its own, so that the code under test does not have to change.
 */
import type { Broker } from '../brokers/broker.ts';
import { openBroker } from '../brokers/open.ts';

/** Environment variable: the broker address for producers that do not name one. Default: see `connect`. */
const BROKER_VARIABLE = 'SQS_CONTAINERS_BROKER';
/** Environment variable: the prefix that producers add to queue names, with `__` between. */
const PREFIX_VARIABLE = 'SQS_CONTAINERS_QUEUE_PREFIX';

/** A broker, and the prefix for the names of its queues. */
export interface Connection {
  readonly broker: Broker;
  readonly prefix?: string | undefined;
  /** Awaited for each sent message, before its send resolves. */
  readonly onSent?: ((messageId: string) => Promise<void>) | undefined;
}

interface Shared {
  readonly brokers: Map<string, Promise<Broker>>;
  /** The connection of the container that runs in this process. */
  container: Connection | undefined;
  replacement: Connection | undefined;
}

/** Shared by all copies of the package in a process: a spec and the code that it tests may load different copies. */
const key = Symbol.for('sqs-containers.connections');
const holder = globalThis as { [key]?: Shared };
holder[key] ??= { brokers: new Map(), container: undefined, replacement: undefined };
const shared: Shared = holder[key];

/**
 * The broker at `address`, opened if necessary. Default: the address in the environment, else the broker of the
 * container that runs in this process, else `sqs`. Throws BrokerError; the next call tries again.
 */
export async function connect(address = environmentBroker()): Promise<Connection> {
  if (shared.replacement) return shared.replacement;
  const prefix = process.env[PREFIX_VARIABLE] || shared.container?.prefix;
  if (address === undefined && shared.container) return { broker: shared.container.broker, prefix };
  return { broker: await brokerAt(address ?? 'sqs'), prefix };
}

/** The broker address in the environment, if there is one. */
export function environmentBroker(): string | undefined {
  return process.env[BROKER_VARIABLE] || undefined;
}

/** Makes workers send to the queues of their own container by default; undefined undoes that. */
export function setContainer(connection: Connection | undefined): void {
  shared.container = connection;
}

/** The prefix that the container in this process adds to queue names. */
export function containerPrefix(): string | undefined {
  return shared.replacement ? undefined : shared.container?.prefix;
}

function brokerAt(address: string): Promise<Broker> {
  const known = shared.brokers.get(address);
  if (known) return known;
  const opening = openBroker(address);
  shared.brokers.set(address, opening);
  opening.catch(() => {
    if (shared.brokers.get(address) === opening) shared.brokers.delete(address);
  });
  return opening;
}

/** Makes all producers send to this broker, whatever address they name; undefined undoes that. */
export function replaceBrokers(broker: Broker | undefined, onSent?: Connection['onSent']): void {
  shared.replacement = broker && { broker, onSent };
}

/** Closes the brokers that producers opened; the next call reopens them. Call it at the end of a program or spec. */
export async function closeProducers(): Promise<void> {
  const openings = [...shared.brokers.values()];
  shared.brokers.clear();
  for (const opening of await Promise.allSettled(openings)) {
    if (opening.status === 'fulfilled') await opening.value.close();
  }
}
