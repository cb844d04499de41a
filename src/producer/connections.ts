/**
 * The brokers that producers in this process share: one for each address, opened when first used. A test container
 * puts its own in their place, so that the code under test needs no change.
 */
import type { Broker } from '../brokers/broker.ts';
import { openBroker } from '../brokers/open.ts';

/** In the environment: the address of the broker that producers use which name none. Default: `sqs`. */
export const BROKER_VARIABLE = 'SQS_CONTAINERS_BROKER';

interface Shared {
  readonly brokers: Map<string, Promise<Broker>>;
  replacement: Broker | undefined;
}

/** One for every copy of the package in a process: a spec and the code that it tests may load different ones. */
const key = Symbol.for('sqs-containers.connections');
const holder = globalThis as { [key]?: Shared };
holder[key] ??= { brokers: new Map(), replacement: undefined };
const shared: Shared = holder[key];

/** The broker at `address`, opened if it is not yet. Throws BrokerError; the next call tries again. */
export function connect(address = process.env[BROKER_VARIABLE] || 'sqs'): Promise<Broker> {
  if (shared.replacement) return Promise.resolve(shared.replacement);
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
export function replaceBrokers(broker: Broker | undefined): void {
  shared.replacement = broker;
}

/** Closes the brokers that producers opened; the next call opens them again. For the end of a program or a spec. */
export async function closeProducers(): Promise<void> {
  const openings = [...shared.brokers.values()];
  shared.brokers.clear();
  for (const opening of await Promise.allSettled(openings)) {
    if (opening.status === 'fulfilled') await opening.value.close();
  }
}
