/**
 * Formats a log record as text, JSON, or with a template. No value can add lines or control a terminal: control
 * characters are escaped, and only an error's stack has more lines, which are indented.
 */
import { escapeCharacter, printable, UNPRINTABLE } from '../../message/log-lines.ts';

export interface LogRecord {
  readonly time: Date;
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly error?: unknown;
  /** More details, such as the message ID. */
  readonly fields?: Readonly<Record<string, string | number>>;
}

export type LogFormat = (record: LogRecord) => string;

const TEXT = '{time} {level} {logger}: {message}';
/** How many causes of an error to follow. */
const MOST_CAUSES = 5;
/** Limits for showing a thrown value that is not an Error: properties per object, levels, and characters in total. */
const MOST_PROPERTIES = 20;
const MOST_LEVELS = 3;
const LONGEST_THROWN = 2_000;

/** The format for an option: `text`, `json`, or a template with `{time}`, `{level}`, `{logger}`, `{message}`. */
export function formatOf(option: string): LogFormat {
  if (option === 'json') return formatJson;
  const template = option === 'text' ? TEXT : option;
  return (record) => formatTemplate(template, record);
}

function formatTemplate(
  template: string,
  { time, level, logger, message, error, fields }: LogRecord,
): string {
  const values: Record<string, string> = {
    time: time.toISOString(),
    level: level.toUpperCase(),
    logger,
    message: printable(message) + describeFields(fields),
  };
  const head = template.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
  return error === undefined ? head : [head, ...stackLines(error)].join('\n');
}

function formatJson({ time, level, logger, message, error, fields }: LogRecord): string {
  const record = {
    time,
    level,
    logger,
    message,
    ...fields,
    ...(error !== undefined && { error: asJson(error) }),
  };
  return JSON.stringify(record).replace(UNPRINTABLE, escapeCharacter);
}

function describeFields(fields: LogRecord['fields']): string {
  const pairs = Object.entries(fields ?? {}).map(([name, value]) => `${name}=${printable(String(value))}`);
  return pairs.length > 0 ? ` (${pairs.join(' ')})` : '';
}

/** The stack of an error and of its causes, indented. */
function stackLines(error: unknown): string[] {
  return causesOf(error).flatMap((one, depth) => {
    const text = one instanceof Error ? (one.stack ?? String(one)) : `Thrown: ${describeThrown(one)}`;
    const [first = '', ...others] = text.split('\n');
    return [
      `  ${depth > 0 ? 'Caused by: ' : ''}${printable(first)}`,
      ...others.map((line) => `  ${printable(line)}`),
    ];
  });
}

function asJson(error: unknown): object {
  const [first, ...causes] = causesOf(error).map((one) =>
    one instanceof Error
      ? { name: one.name, message: one.message, stack: one.stack }
      : { name: 'Thrown', message: describeThrown(one) },
  );
  return { ...first, ...(causes.length > 0 && { causes }) };
}

function causesOf(error: unknown): unknown[] {
  const causes = [error];
  while (causes.length <= MOST_CAUSES) {
    const last = causes.at(-1);
    if (!(last instanceof Error) || last.cause === undefined) break;
    causes.push(last.cause);
  }
  return causes;
}

/**
 * Describes a thrown value that is not an Error, even if it cannot be converted to a string. For an object, shows its
 * plain values, truncated.
 */
export function describeThrown(value: unknown): string {
  try {
    const text = typeof value === 'object' ? JSON.stringify(outline(value, [])) : String(value);
    return text.length > LONGEST_THROWN ? `${text.slice(0, LONGEST_THROWN)}…` : text;
  } catch {
    return kindOf(value);
  }
}

/**
 * A small copy of a value. It calls no getter or toJSON, and only names values that are large or not plain: HTTP clients
 * attach buffers, sockets and agents to errors. Throws for an object that contains itself.
 */
function outline(value: unknown, holders: readonly object[]): unknown {
  if (typeof value === 'string') return value.slice(0, LONGEST_THROWN);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (holders.includes(value)) throw new TypeError('The object contains itself.');
  const inside = [...holders, value];
  if (inside.length > MOST_LEVELS || !isReadable(value, holders)) return kindOf(value);
  if (Array.isArray(value)) return value.slice(0, MOST_PROPERTIES).map((entry) => outline(entry, inside));
  const names = Object.keys(value).slice(0, MOST_PROPERTIES);
  const plain = (name: string): unknown => Object.getOwnPropertyDescriptor(value, name)?.value;
  return Object.fromEntries(names.map((name) => [name, outline(plain(name), inside)]));
}

/** True for arrays, for plain objects, and for the thrown object itself, whatever its class, except binary data. */
function isReadable(value: object, holders: readonly object[]): boolean {
  if (Array.isArray(value)) return true;
  if (holders.length === 0) return !ArrayBuffer.isView(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}
