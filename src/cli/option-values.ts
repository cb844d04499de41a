/** Parses the values of `sqs-queues` options. */
import { readFileSync } from 'node:fs';
import { parseDuration } from '../config/duration.ts';
import { UsageError } from '../host/exit-codes.ts';
import { decodeLine } from '../message/log-lines.ts';
import { SECONDS_A_MONTH } from '../observe/cost/cost.ts';
import { COMMAND } from './command.ts';

/** A value of a call: JSON, otherwise text. Throws UsageError for a number that JavaScript cannot represent exactly. */
export function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text, refuseInexact);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    return text;
  }
}

/** JavaScript would change a long number: JSON keeps all digits, a number does not. */
function refuseInexact(_key: string, value: unknown): unknown {
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  throw new UsageError(
    COMMAND,
    `${value} is too large to be sent as a number; to send it as text, write '"…"', including the quotes.`,
  );
}

/** A name and a value, separated by `=`; `form` describes the format in error messages. Throws UsageError. */
export function pair(option: string, form: string, given: string): readonly [string, string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(given) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new UsageError(COMMAND, `--${option} takes ${form}, not "${given}".`);
}

/** A keyword argument, written `key=value`. Throws UsageError. */
export function keyword(given: string): readonly [string, unknown] {
  const [key, value] = pair('kw', 'key=value', given);
  return [key, jsonOrText(value)];
}

/** Whole seconds, at least 0. Throws UsageError. */
export function seconds(option: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new UsageError(COMMAND, `--${option} takes whole seconds, not "${value}".`);
  return Number(value);
}

/** A whole number, at least 1. Throws UsageError. */
export function count(option: string, value: string): number {
  if (!/^[1-9]\d*$/.test(value)) {
    throw new UsageError(COMMAND, `--${option} takes a whole number of at least 1, not "${value}".`);
  }
  return Number(value);
}

/** A duration in seconds, at least 0: `30`, `500ms`, `5m`, `1h30m`, `2d`. Throws UsageError. */
export function duration(option: string, value: string): number {
  const parsed = parseDuration(value, 'seconds');
  if (parsed !== undefined) return parsed;
  throw new UsageError(COMMAND, `--${option} takes a duration, such as 30s, 5m, 12h or 2d, not "${value}".`);
}

/** The bodies in a messages log, one per line; `-` is standard input. Throws UsageError. */
export function bodiesOf(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError(COMMAND, `Cannot read ${file}: ${(error as Error).message}`);
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(decodeLine);
}

/** The time units of a rate, in seconds; a month as AWS bills it. */
const PER: Readonly<Record<string, number>> = {
  s: 1,
  min: 60,
  h: 3_600,
  day: 86_400,
  month: SECONDS_A_MONTH,
};

/**
 * A rate, in messages per second. Throws UsageError.
 *
 *     rate('rate', '50/s')           // 50
 *     rate('rate', '1000/day')       // 0.011574…
 */
export function rate(option: string, value: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?(?:e\d+)?)\/(s|min|h|day|month)$/.exec(value) ?? [];
  if (number !== '') return Number(number) / PER[unit]!;
  throw new UsageError(
    COMMAND,
    `--${option} takes a number of messages and a time unit, such as 50/s, 10/min, 500/h, 20000/day or 1e6/month, not "${value}".`,
  );
}
