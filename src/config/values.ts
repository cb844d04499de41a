/** The kinds of values that options have: from the text in the ini file to what the program uses, or what is wrong. */
import * as z from 'zod';
import { type DurationUnit, parseDuration } from './duration.ts';
import { withoutPasswords } from './secrets.ts';
import { suggest } from './suggestion.ts';

/** What timers can wait for, rounded down to days: 24. A longer wait would end at once. */
const LONGEST_SECONDS = 24 * 24 * 60 * 60;

/** A refusal: what was expected instead, worded to follow "expected". */
class Expected {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** A value that `read` understands; whatever it does not was `expected` to be something else. */
function value<T>(expected: string, read: (text: string) => T | Expected | undefined) {
  return z.string({ error: `missing; expected ${expected}` }).transform((text, context): T => {
    const result = read(text);
    if (result !== undefined && !(result instanceof Expected)) return result;
    const what = result?.what ?? expected;
    context.addIssue(`expected ${what}, got ${JSON.stringify(withoutPasswords(text))}`);
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
  /** Default: 24 days, which is as long as timers can wait. */
  readonly to?: number;
  /** No decimals. Default false. */
  readonly whole?: boolean;
}

/** A duration, held as a number of `unit`; a number alone is in that unit. */
export function duration(unit: DurationUnit, { from = 0, to = LONGEST_SECONDS, whole = false }: Range = {}) {
  const example = unit === 'seconds' ? 30 : 200;
  return value(`a duration such as ${example}, "500ms" or "5m"`, (given) => {
    const length = parseDuration(given, unit);
    if (length === undefined) return undefined;
    if (length >= from && length <= to && !(whole && !Number.isInteger(length))) return length;
    return new Expected(`${from} to ${to} ${whole ? 'whole ' : ''}${unit}`);
  });
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
  const answers = new Map([
    ...['yes', 'true', 'on', '1'].map((word) => [word, true] as const),
    ...['no', 'false', 'off', '0'].map((word) => [word, false] as const),
  ]);
  return value('yes or no', (given) => answers.get(given.toLowerCase()));
}

/** An http or https URL. */
export function webAddress() {
  return value('an http or https URL', (given) => (isWebAddress(given) ? given : undefined));
}

/** The name of a queue by the rules of SQS, or the URL of one. */
export function queue() {
  const name = /^(?=.{1,80}$)[\w-]+(\.fifo)?$/;
  return value(
    'the name of a queue (up to 80 letters, digits, - and _, or with .fifo) or its URL',
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
  return value('STDOUT, STDERR or the path of a file', (given) => {
    if (given === 'STDOUT' || given === 'STDERR') return given;
    if (/^std(out|err)$/i.test(given)) return new Expected(`${given.toUpperCase()}, in capitals`);
    return given === '' ? undefined : given;
  });
}

const PLACEHOLDERS = ['time', 'level', 'logger', 'message'];

/** How a logger writes: text, json, or a template with `{message}`. */
export function logFormat() {
  return value('text, json, or a template with {message}, {time}, {level} and {logger}', (given) => {
    if (given === 'text' || given === 'json') return given;
    const names = [...given.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
    const unknown = names.find((name) => !PLACEHOLDERS.includes(name));
    if (unknown !== undefined) {
      return new Expected(
        `only placeholders that exist, not {${unknown}} (${suggest(unknown, PLACEHOLDERS, 'there are')})`,
      );
    }
    return names.includes('message') ? given : undefined;
  });
}

function isWebAddress(given: string): boolean {
  return /^https?:\/\//.test(given) && URL.canParse(given);
}
