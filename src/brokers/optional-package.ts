/** Packages that only some brokers need, which are loaded when one of these is opened. */
import { BrokerError } from './errors.ts';

/**
 * What `load` imports of the package `name`; `queues` says what needs it: `Queues in Redis`. Throws a BrokerError of kind
 * `setup`, which says how to install it, if it cannot be loaded.
 */
export async function loadOptional<Module>(
  name: string,
  queues: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    throw new BrokerError(
      'setup',
      `${queues} need the package "${name}", which cannot be loaded. Install it beside sqs-containers: npm install ${name}`,
      { cause: error },
    );
  }
}
