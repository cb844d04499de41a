/**
 * What is done for a message, in our containers and in the peers' processes: it starts, takes some time, and ends or
 * fails, and the ledger has all of it. How long it takes and whether it fails follows from its number.
 */
import { sleep } from '../harness/clock.ts';
import { seeded } from '../harness/random.ts';
import { Ledger, type NumberedMessage } from './ledger.ts';

/** What a handling is to be like, by its message. */
export interface Work {
  readonly milliseconds: number;
  readonly fails: boolean;
}

/** Most are short, some take a while, a few take `longestMs`; some fail at their first receive. */
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
  /** How long the longest take, in milliseconds. */
  readonly longestMs: number;
  /** What to throw, to have the message again. */
  readonly failure: () => Error;
}

/** Makes the function that handles messages. */
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
