/** The types of option values: each parses the text in the ini file or reports what was expected. */
import * as z from 'zod';
import { ADDRESSES, brokerKind, SCHEMES } from '../brokers/address.ts';
import { isQueueName } from '../brokers/rules/queue-name.ts';
import { type DurationUnit, parseDuration } from './duration.ts';
import { parseListen } from './listen.ts';
import { nearName } from './suggestion.ts';

/** The longest delay of a timer, rounded down to whole days: 24. A longer timer would fire immediately. */
const LONGEST_SECONDS = 24 * 24 * 60 * 60;

/** A value parsed by `read`, which returns undefined if the text is not valid. */
function value<T>(expected: string, read: (text: string) => T | undefined) {
  return z.string({ error: `missing; expected ${expected}` }).transform((text, context): T => {
    const result = read(text);
    if (result !== undefined) return result;
    context.addIssue(`expected ${expected}`);
    return z.NEVER;
  });
}

/** Text that matches a pattern. */
export function text(expected: string, pattern: RegExp) {
  return value(expected, (given) => (pattern.test(given) ? given : undefined));
}

export interface Range {
  /** Default 0. */
  readonly from?: number;
  /** Default: 24 days, in seconds. */
  readonly to?: number;
  /** Whole numbers only. Default false. */
  readonly whole?: boolean;
}

/** A duration, stored as a number of `unit`; a plain number is in that unit. */
export function duration(unit: DurationUnit, { from = 0, to = LONGEST_SECONDS, whole = false }: Range = {}) {
  const example = unit === 'seconds' ? 30 : 200;
  return value(`a duration such as ${example}, 500ms or 5m`, (given) => parseDuration(given, unit)).refine(
    (length) => length >= from && length <= to && (!whole || Number.isInteger(length)),
    `expected ${from} to ${to} ${whole ? 'whole ' : ''}${unit}`,
  );
}

/** A whole number, at least `from`. */
export function wholeNumber(from: number) {
  return value(`a whole number of at least ${from}`, (given) => readWholeNumber(given, from));
}

function readWholeNumber(given: string, from: number): number | undefined {
  return /^\d{1,15}$/.test(given) && Number(given) >= from ? Number(given) : undefined;
}

/** One of a few words. */
export function oneOf<const Word extends string>(...words: Word[]) {
  return value(`${words.slice(0, -1).join(', ')} or ${words.at(-1)}`, (given) =>
    words.find((word) => word === given),
  );
}

/** yes or no, or the usual synonyms. */
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

/** A queue name by the rules of SQS, or a queue URL. */
export function queue() {
  return value(QUEUE, (given) => (isQueue(given) ? given : undefined));
}

/** A queue and its share of the slots. */
export interface QueueShare {
  readonly name: string;
  readonly weight: number;
}

/** Queues, each with an optional weight (default 1): `urgent*3, bulk`. */
export function queues() {
  return value(`${QUEUE}; or several, such as urgent*3, bulk`, (given): readonly QueueShare[] | undefined => {
    const shares = given.split(',').map(readShare);
    return shares.every(({ name }) => isQueue(name)) ? shares : undefined;
  })
    .refine(
      (shares) => shares.every(({ weight }) => weight >= 1 && weight <= MOST_WEIGHT),
      `expected whole numbers from 1 to ${MOST_WEIGHT} as weights, as in urgent*3, bulk`,
    )
    .refine(
      (shares) => new Set(shares.map(({ name }) => name)).size === shares.length,
      'expected each queue once; to give a queue more slots, add a weight, as in urgent*3, bulk',
    );
}

const MOST_WEIGHT = 1000;

/** A weight that is not a whole number becomes NaN. */
function readShare(given: string): QueueShare {
  const [, name = '', weight = '1'] = /^\s*(.*?)\s*(?:\*\s*(.*?)\s*)?$/s.exec(given) ?? [];
  return { name, weight: readWholeNumber(weight, 1) ?? Number.NaN };
}

const QUEUE = 'a queue name (up to 80 letters, digits, - and _, then .fifo for a FIFO queue) or URL';

function isQueue(given: string): boolean {
  return isQueueName(given) || isWebAddress(given);
}

const WORD = /^[\w-]{1,40}$/;

/** A word that can be part of a queue name. */
export function word() {
  return text('a word of up to 40 letters, digits, - and _', WORD);
}

/** Such words, separated by commas. */
export function words() {
  return value(
    'words of up to 40 letters, digits, - and _, separated by commas',
    (given): readonly string[] | undefined => {
      const list = given.split(',').map((part) => part.trim());
      return list.every((part) => WORD.test(part)) ? list : undefined;
    },
  );
}

/** A whole number, at least `from`, or `auto`. */
export function wholeNumberOrAuto(from: number) {
  return value(`auto or a whole number of at least ${from}`, (given) => {
    if (given === 'auto') return 'auto';
    return readWholeNumber(given, from);
  });
}

/** A number from 0 to 1, rounded to six decimals. */
export function share() {
  return value('a number from 0 to 1', (given) =>
    /^\d+(\.\d+)?$/.test(given) && Number(given) <= 1 ? Number(Number(given).toFixed(6)) : undefined,
  );
}

const BYTES = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 } as const;

/** A size in bytes, at least `from`; K, M and G are powers of 1024. */
export function size(from: number) {
  return value('a size such as 512M or 2G', (given) => {
    const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([KMG]?)$/.exec(given) ?? [];
    const bytes = Math.round(Number(number) * BYTES[unit as keyof typeof BYTES]);
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  }).refine((bytes) => bytes >= from, `expected at least ${from / BYTES.M}M`);
}

/** The address of a broker. */
export function brokerAddress() {
  return z.string().superRefine((given, context) => {
    const meant = misspelledScheme(given);
    if (meant !== undefined) context.addIssue(`did you mean "${meant}"?`);
    else if (!isBrokerAddress(given)) context.addIssue(`expected ${ADDRESSES}`);
  });
}

function isBrokerAddress(given: string): boolean {
  switch (brokerKind(given)) {
    case undefined:
      return false;
    case 'emulator':
      return isWebAddress(given.slice('sqs+'.length));
    case 'postgres':
    case 'redis':
      return URL.canParse(given);
    default:
      return true;
  }
}

/** `sqlite` for `sqlit:queues.db`. That could also be a package, but a typo is far more likely. */
function misspelledScheme(given: string): string | undefined {
  const [, scheme = ''] = /^(\w+):/.exec(given) ?? [];
  const near = nearName(scheme, SCHEMES);
  return near === scheme ? undefined : near;
}

/** The address of a server, as parsed by `parseListen`. */
export function listenAddress() {
  return value(
    'HOST:PORT such as 127.0.0.1:8125, or the path of a Unix socket such as ./status.sock',
    (given) => (parseListen(given) ? given : undefined),
  );
}

/** The destination of a logger. */
export function logPath() {
  return value('STDOUT or STDERR in capitals, or the path of a file', (given) => {
    if (given === 'STDOUT' || given === 'STDERR') return given;
    return /^(std(out|err))?$/i.test(given) ? undefined : given;
  });
}

/** The format of a logger: text, json, or a template with `{message}`. */
export function logFormat() {
  return value(
    'text, json, or a template with {message} and, optionally, {time}, {level}, {logger}',
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
