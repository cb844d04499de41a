/**
 * The wire format of a call, as zc.sqs defined it: the body is JSON `[args, kwargs]`, with no attributes.
 *
 * `adder(1, 2, { x: 3 })` is written as `[[1,2],{"x":3}]` and arrives as `worker(1, 2, { x: 3 })`. Python's zc.sqs
 * sends the base64 of that JSON. We read both and write plain JSON.
 */
import { isUtf8 } from 'node:buffer';
import { brand } from '../modules/brand.ts';

/** A body that is not a call: not JSON, not `[args, kwargs]`, or unsafe to pass on. The message says which. */
export class MalformedMessageError extends Error {
  static {
    brand(MalformedMessageError, 'MalformedMessageError');
  }
  override readonly name = 'MalformedMessageError';
}

/** An argument that cannot be written as JSON. The message contains its path in the arguments. */
export class UnserializableArgumentError extends TypeError {
  static {
    brand(UnserializableArgumentError, 'UnserializableArgumentError');
  }
  override readonly name = 'UnserializableArgumentError';
}

/** Deeper than any real call. JSON that is even deeper could overflow the stack of code that walks it. */
const DEEPEST = 500;

/**
 * Writes a call as a body. If the last argument is a non-empty plain object, it becomes the keyword arguments.
 *
 *     encodeCall([1, 2])            // '[[1,2],{}]'
 *     encodeCall([1, { x: 3 }])     // '[[1],{"x":3}]'
 *     encodeCall([{}])              // '[[{}],{}]'
 *
 * Throws UnserializableArgumentError for values that JSON cannot represent: functions, symbols, bigints, NaN,
 * infinities, cycles, undefined in an array, collections. Omits undefined properties.
 */
export function encodeCall(args: readonly unknown[]): string {
  const last = args.at(-1);
  const hasOptions = isPlainObject(last) && Object.keys(last).length > 0;
  const positional = hasOptions ? args.slice(0, -1) : args;
  positional.forEach((value, index) => {
    refuseUnserializable(value, `argument ${index + 1}`, []);
  });
  if (hasOptions) refuseUnserializable(last, `argument ${args.length}`, []);
  return stringify([positional, hasOptions ? last : {}]);
}

/** Writes any value as JSON, with the same rules. `label` names it in errors. Throws UnserializableArgumentError. */
export function encodeJson(value: unknown, label: string): string {
  refuseUnserializable(value, label, []);
  return stringify(value);
}

function stringify(value: unknown): string {
  // JSON does not escape these two characters, but SQS refuses them in a body.
  return JSON.stringify(value).replace(
    /[\uFFFE\uFFFF]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
}

/**
 * Reads a body (JSON, or the base64 of JSON) as the arguments of the call; keyword arguments, if any, come last.
 *
 *     decodeCall('[[1,2],{}]')                 // [1, 2]
 *     decodeCall('[[1,2],{"x":3}]')            // [1, 2, { x: 3 }]
 *     decodeCall('W1sxLCAyXSwgeyJ4IjogM31d')   // [1, 2, { x: 3 }]
 *
 * Throws MalformedMessageError.
 */
export function decodeCall(body: string): unknown[] {
  const json = withoutBase64(body);
  const label = json === body ? 'The body' : 'The body, decoded from base64,';
  const call = parseJson(json, label);
  if (!Array.isArray(call) || call.length !== 2 || !Array.isArray(call[0]) || !isPlainObject(call[1])) {
    throw new MalformedMessageError(
      `${label} is not [args, kwargs], an array and an object in an array: ${excerpt(json)}`,
    );
  }
  const [args, kwargs] = call as [unknown[], Record<string, unknown>];
  return Object.keys(kwargs).length > 0 ? [...args, kwargs] : args;
}

/**
 * Decodes a body that is the base64 of a JSON array or object. Returns any other body unchanged.
 *
 *     withoutBase64('W1sxXSwge31d')   // '[[1], {}]'
 *     withoutBase64('[[1], {}]')      // '[[1], {}]'
 *     withoutBase64('Where?')         // 'Where?'
 */
export function withoutBase64(body: string): string {
  // Text that starts with `[` or `{` starts with W or e in base64. JSON never does.
  if (!/^\s*[We]/.test(body)) return body;
  const bytes = parseBase64(body);
  if (!bytes || !isUtf8(bytes)) return body;
  const text = bytes.toString();
  return /^[[{]/.test(text) ? text : body;
}

/** The bytes of base64, with or without padding and line breaks; undefined for any other text. */
export function parseBase64(text: string): Buffer | undefined {
  const digits = text.replace(/\s+/g, '').replace(/={1,2}$/, '');
  // Four digits are three bytes. A single leftover digit is less than a byte: something is missing.
  const isBase64 = /^[A-Za-z0-9+/]*$/.test(digits) && digits.length % 4 !== 1;
  return isBase64 ? Buffer.from(digits, 'base64') : undefined;
}

/**
 * Parses untrusted JSON: limits its depth, and refuses `__proto__` keys, which pollute objects that they are copied to.
 * `label` names it in errors. Throws MalformedMessageError.
 */
export function parseJson(text: string, label = 'The body'): unknown {
  if (text === '') throw new MalformedMessageError(`${label} is empty.`);
  if (isDeeperThan(text, DEEPEST)) {
    throw new MalformedMessageError(`${label} nests deeper than ${DEEPEST} levels: ${excerpt(text)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MalformedMessageError(`${label} is not JSON: ${excerpt(text)}`, { cause });
  }
  // A key can also be written with escapes, so check if there is any escape.
  if ((text.includes('__proto__') || text.includes('\\u')) && hasPrototypeKey(value)) {
    throw new MalformedMessageError(`${label} has the key "__proto__": ${excerpt(text)}`);
  }
  return value;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Checks the text, not the value, because parsing text that is too deep would already overflow the stack. */
function isDeeperThan(text: string, limit: number): boolean {
  if (text.length <= 2 * limit) return false;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (inString) {
      if (character === 0x5c) index += 1;
      else if (character === 0x22) inString = false;
    } else if (character === 0x22) inString = true;
    else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > limit) return true;
    } else if (character === 0x5d || character === 0x7d) depth -= 1;
  }
  return false;
}

function hasPrototypeKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(hasPrototypeKey);
}

function refuseUnserializable(value: unknown, path: string, holders: object[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) refuse(path, `is ${value}`);
      return;
    case 'object':
      break;
    default:
      refuse(path, typeof value === 'undefined' ? 'is undefined' : `is a ${typeof value}`);
  }
  if (value === null) return;
  if (holders.includes(value as object)) refuse(path, 'contains itself');
  if (holders.length >= DEEPEST - 2) refuse(path, `nests deeper than ${DEEPEST} levels`);
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return;
  const inside = [...holders, value as object];
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      refuseUnserializable(value[index], `${path}[${index}]`, inside);
    }
    return;
  }
  if (value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)) {
    refuse(path, `is a ${value.constructor.name}, which JSON cannot hold`);
  }
  if (Object.hasOwn(value as object, '__proto__')) refuse(path, 'has the key "__proto__"');
  for (const [key, entry] of Object.entries(value as object)) {
    if (entry !== undefined) refuseUnserializable(entry, `${path}.${key}`, inside);
  }
}

function refuse(path: string, what: string): never {
  throw new UnserializableArgumentError(`Cannot write the call as JSON: ${path} ${what}.`);
}

function excerpt(body: string): string {
  const shown = body.length > 80 ? `${body.slice(0, 80)}…` : body;
  return JSON.stringify(shown);
}
