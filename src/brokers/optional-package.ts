/** The error for packages that only some brokers need, and that are imported when such a broker is opened. */
import { BrokerConfigError } from './errors.ts';

/**
 * Returns a handler for a failed import of the package `name`: it throws a BrokerError of kind `setup` that says how to
 * install the package. `queues` says what needs it: `Queues in Redis`.
 *
 *     const { Redis } = await import('ioredis').catch(notInstalled('ioredis', 'Queues in Redis'));
 *
 * Put the `.catch` directly after the import: this tells bundlers that the package is optional.
 */
export function notInstalled(name: string, queues: string): (cause: unknown) => never {
  return (cause) => {
    throw new BrokerConfigError(
      `${queues} need the package "${name}", which could not be loaded. Install it next to sqs-containers: npm install ${name}`,
      { cause },
    );
  };
}
