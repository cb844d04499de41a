/** The kinds of values that options have: from the text in the ini file to what the program uses, or what was expected. */
import * as z from 'zod';
import { type DurationUnit, parseDuration } from './duration.ts';

/** What timers can wait for, rounded down to days: 24. A longer wait would end at once. */
const LONGEST_SECONDS = 24 * 24 * 60 * 60;

/** A value that `read` understands; undefined from there means that the text is none. */
function value<T>(expected: string, read: (text: string) => T | undefined) {
  return z.string({ error: `missing; expected ${expected}` }).transform((text, context): T => {
    const result = read(text);
    if (result !== undefined) return result;
    context.addIssue(`expected ${expected}`);
    return z.NEVER;
  });
}

/** A text that matches a pattern. */
export function text(expected: string, pattern: RegExp) {
  return value(expected, (given) => (pattern.test(given) ? given : undefined));
}

export interface Range {
  /** Default 0. */
  readonly from?: number;
  /** Default: 24 days, in seconds. */
  readonly to?: number;
  /** No decimals. Default false. */
  readonly whole?: boolean;
}

/** A duration, held as a number of `unit`; a number alone is in that unit. */
export function duration(unit: DurationUnit, { from = 0, to = LONGEST_SECONDS, whole = false }: Range = {}) {
  const example = unit === 'seconds' ? 30 : 200;
  return value(`a duration such as ${example}, 500ms or 5m`, (given) => parseDuration(given, unit)).refine(
    (length) => length >= from && length <= to && (!whole || Number.isInteger(length)),
    `expected ${from} to ${to} ${whole ? 'whole ' : ''}${unit}`,
  );
}

/** A whole number of at least `from`. */
export function wholeNumber(from: number) {
  return value(`a whole number of at least ${from}`, (given) =>
    /^\d{1,15}$/.test(given) && Number(given) >= from ? Number(given) : undefined,
  );
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: Word[]) {
  return value(`${words.slice(0, -1).join(', ')} or ${words.at(-1)}`, (given) =>
    words.find((word) => word === given),
  );
}

/** yes or no, and what else people write for these. */
export function yesOrNo() {
  return value('yes or no', (given) => {
    if (/^(yes|true|on|1)$/i.test(given)) return true;
    return /^(no|false|off|0)$/i.test(given) ? false : undefined;
  });
}

/** An http or https URL. */
export function webAddress() {
  return value('an http or https URL', (given) => (isWebAddress(given) ? given : undefined));
}

/** The name of a queue by the rules of SQS, or the URL of one. */
export function queue() {
  const name = /^(?=.{1,80}$)[\w-]+(\.fifo)?$/;
  return value(
    'the name of a queue (up to 80 letters, digits, - and _, and .fifo at the end if it is one) or its URL',
    (given) => (name.test(given) || isWebAddress(given) ? given : undefined),
  );
}

/** The address of a broker. */
export function brokerAddress() {
  return value('sqs, sqs+http://HOST:PORT, sqs+https://HOST, sqlite:PATH or memory:', (given) => {
    const known =
      given === 'sqs' ||
      given === 'memory:' ||
      /^sqlite:./.test(given) ||
      (given.startsWith('sqs+') && isWebAddress(given.slice('sqs+'.length)));
    return known ? given : undefined;
  });
}

/** Where a logger writes. */
export function logPath() {
  return value('STDOUT or STDERR in capitals, or the path of a file', (given) => {
    if (given === 'STDOUT' || given === 'STDERR') return given;
    return /^(std(out|err))?$/i.test(given) ? undefined : given;
  });
}

/** How a logger writes: text, json, or a template with `{message}`. */
export function logFormat() {
  return value(
    'text, json, or a template with {message} and, if you like, {time}, {level}, {logger}',
    (given) => {
      const placeholders = [...given.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      const isTemplate =
        placeholders.includes('message') &&
        placeholders.every((name) => ['time', 'level', 'logger', 'message'].includes(name));
      return given === 'text' || given === 'json' || isTemplate ? given : undefined;
    },
  );
}

export function isWebAddress(given: string): boolean {
  return /^https?:\/\//.test(given) && URL.canParse(given);
}
