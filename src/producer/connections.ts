/**
 * The brokers that producers in this process share: one for each address, opened when first used. A test container
 * puts its own in their place, so that the code under test needs no change.
 */
import type { Broker } from '../brokers/broker.ts';
import { openBroker } from '../brokers/open.ts';

/** In the environment: the address of the broker that producers use which name none. Default: see `connect`. */
const BROKER_VARIABLE = 'SQS_CONTAINERS_BROKER';
/** In the environment: what producers put before the names of queues, with `__` between. */
const PREFIX_VARIABLE = 'SQS_CONTAINERS_QUEUE_PREFIX';

/** What producers get: a broker, and what to put before the names of its queues. */
export interface Connection {
  readonly broker: Broker;
  readonly prefix?: string | undefined;
  /** Awaited for each message that was sent, before its sender hears of it. */
  readonly onSent?: ((messageId: string) => Promise<void>) | undefined;
}

interface Shared {
  readonly brokers: Map<string, Promise<Broker>>;
  /** That of the container which runs in this process. */
  container: Connection | undefined;
  replacement: Connection | undefined;
}

/** One for every copy of the package in a process: a spec and the code that it tests may load different ones. */
const key = Symbol.for('sqs-containers.connections');
const holder = globalThis as { [key]?: Shared };
holder[key] ??= { brokers: new Map(), container: undefined, replacement: undefined };
const shared: Shared = holder[key];

/**
 * The broker at `address`, opened if it is not yet. Default: as the environment says, else that of the container which
 * runs in this process, else `sqs`. Throws BrokerError; the next call tries again.
 */
export async function connect(address = environmentBroker()): Promise<Connection> {
  if (shared.replacement) return shared.replacement;
  const prefix = process.env[PREFIX_VARIABLE] || shared.container?.prefix;
  if (address === undefined && shared.container) return { broker: shared.container.broker, prefix };
  return { broker: await brokerAt(address ?? 'sqs'), prefix };
}

/** The address that the environment names, if it names one. */
export function environmentBroker(): string | undefined {
  return process.env[BROKER_VARIABLE] || undefined;
}

/** Sends what workers send to the queues of their own container; undefined ends that. */
export function setContainer(connection: Connection | undefined): void {
  shared.container = connection;
}

/** What the container in this process puts before the names of its queues. */
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

/** Sends whatever producers send to this broker, whatever address they name; undefined ends that. */
export function replaceBrokers(broker: Broker | undefined, onSent?: Connection['onSent']): void {
  shared.replacement = broker && { broker, onSent };
}

/** Closes the brokers that producers opened; the next call opens them again. For the end of a program or a spec. */
export async function closeProducers(): Promise<void> {
  const openings = [...shared.brokers.values()];
  shared.brokers.clear();
  for (const opening of await Promise.allSettled(openings)) {
    if (opening.status === 'fulfilled') await opening.value.close();
  }
}
