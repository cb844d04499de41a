/**
 * How a message is handled, in our containers and in the peers' processes: it starts, takes some time, and succeeds or
 * fails; the ledger records all of it. The message's number determines how long it takes and whether it fails.
 */
import { sleep } from '../harness/clock.ts';
import { seeded } from '../harness/random.ts';
import { Ledger, type NumberedMessage } from './ledger.ts';

/** How a message is handled. */
export interface Work {
  readonly milliseconds: number;
  readonly fails: boolean;
}

/** Most messages are fast, some take a while, a few take `longestMs`; some fail on their first receive. */
export function workOf(
  { number, receiveCount }: Pick<NumberedMessage, 'number' | 'receiveCount'>,
  longestMs: number,
): Work {
  const random = seeded(number);
  const kind = random();
  const milliseconds = kind < 0.002 ? longestMs : kind < 0.02 ? 100 + 300 * random() : 15 * random();
  return { milliseconds, fails: receiveCount === 1 && random() < 0.02 };
}

export interface HandlingOptions {
  /** The path of the ledger. */
  readonly ledger: string;
  /** The longest handling time, in milliseconds. */
  readonly longestMs: number;
  /** Creates the error to throw so that the message is retried. */
  readonly failure: () => Error;
}

/** Creates the function that handles messages. */
export function handling({ ledger: path, longestMs, failure }: HandlingOptions) {
  const ledger = new Ledger(path);
  return async (message: NumberedMessage): Promise<void> => {
    ledger.write('start', message);
    const { milliseconds, fails } = workOf(message, longestMs);
    await sleep(milliseconds);
    if (fails) {
      ledger.write('fail', message);
      throw failure();
    }
    ledger.write('end', message);
  };
}
