/** Packages that only some brokers need, imported when such a broker is opened. */
import { BrokerConfigError } from './errors.ts';

/**
 * What to do when the package `name` cannot be imported: throws a BrokerError of kind `setup` that says how to install
 * it. `queues` says what needs it: `Queues in Redis`.
 *
 *     const { Redis } = await import('ioredis').catch(notInstalled('ioredis', 'Queues in Redis'));
 *
 * Write the `.catch` right behind the import: that is how bundlers know that an application may lack the package.
 */
export function notInstalled(name: string, queues: string): (cause: unknown) => never {
  return (cause) => {
    throw new BrokerConfigError(
      `${queues} need the package "${name}", which cannot be loaded. Install it beside sqs-containers: npm install ${name}`,
      { cause },
    );
  };
}
