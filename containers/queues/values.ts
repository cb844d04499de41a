/** The values on the command line of `sqs-queues`: from texts to what they stand for. */
import { UsageError } from './usage-error.ts';

export const COMMAND = 'sqs-queues';

/** A value of a call: JSON, or else a text. Throws UsageError for a number that cannot be held. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text, refuseInexact);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return text;
  }
}

/** A long number would be sent as another one: JSON keeps its digits, JavaScript does not. */
function refuseInexact(_key: string, value: unknown): unknown {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  throw new UsageError(
    COMMAND,
    `${value} is too large to be sent as a number; as a text it is '"…"', with the quotes.`,
  );
}

/** A keyword argument, written `key=value`. Throws UsageError. */
export function keyword(pair: string): readonly [string, unknown] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
  if (key === undefined || value === undefined) {
    throw new UsageError(COMMAND, `--kw takes key=value, not "${pair}".`);
  }
  return [key, jsonOrText(value)];
}

/** Whole seconds from 0. Throws UsageError. */
export function seconds(option: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new UsageError(COMMAND, `--${option} takes whole seconds, not "${value}".`);
  return Number(value);
}

/** A whole number from 1. Throws UsageError. */
export function count(option: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) {
    throw new UsageError(COMMAND, `--${option} takes a whole number from 1, not "${value}".`);
  }
  return Number(value);
}
