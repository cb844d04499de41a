/**
 * Codecs convert between values and message bodies, by content type. `json` is built in; applications can register
 * their own. Pickles, which Doist's sqs-workers may send, are refused: unpickling can run any code.
 */
import { isUtf8 } from 'node:buffer';
import { brand } from '../modules/brand.ts';
import { decodeCall, encodeCall, encodeJson, MalformedMessageError, parseBase64, parseJson } from './call.ts';

export interface Codec {
  /** The value of the message attribute `ContentType`. */
  readonly contentType: string;
  /** Throws UnserializableArgumentError for values that it cannot write. */
  encode(value: unknown): string;
  /** Throws MalformedMessageError for bodies that it cannot read. */
  decode(body: string): unknown;
}

/** A body that no codec in this process can read, or that must not be read. The message stays in the queue. */
export class UnsupportedContentTypeError extends Error {
  static {
    brand(UnsupportedContentTypeError, 'UnsupportedContentTypeError');
  }
  override readonly name = 'UnsupportedContentTypeError';
}

/** JSON, like `json` in sqs-workers. */
export const jsonCodec: Codec = {
  contentType: 'json',
  encode: (value) => encodeJson(value, 'the input'),
  decode: (body) => parseJson(body),
};

/** The body, unchanged. */
export const textCodec: Codec = {
  contentType: 'text',
  encode: String,
  decode: (body) => body,
};

/** The arguments of a call: `[1, 2, { x: 3 }]` is `[[1,2],{"x":3}]`. Also reads base64, which zc.sqs sends. */
export const callCodec: Codec = {
  contentType: 'call',
  encode: (value) => encodeCall(value as readonly unknown[]),
  decode: decodeCall,
};

/** Text in base64, like boto 2's default message class (django-sqs). */
export const base64Codec: Codec = {
  contentType: 'base64',
  encode: (value) => Buffer.from(String(value)).toString('base64'),
  decode(body) {
    const bytes = parseBase64(body);
    if (!bytes) throw new MalformedMessageError('The body is not base64.');
    // Decoding other bytes as text would silently replace some of them.
    if (!isUtf8(bytes))
      throw new MalformedMessageError('The body is base64, but does not contain UTF-8 text.');
    return bytes.toString();
  },
};

export interface ReferenceOptions<Value> {
  /** Returns the reference to write for a value: any JSON value, such as `['shop', 'order', 17]`. */
  readonly refer: (value: Value) => unknown;
  /** Looks up the value for a reference; undefined if it no longer exists. */
  readonly resolve: (reference: unknown) => Value | undefined | Promise<Value | undefined>;
}

/**
 * Sends a reference instead of the value, as base64 of JSON (like django-sqs's model messages). The value is looked up
 * when the message is handled; if it no longer exists, that is a MalformedMessageError.
 */
export function referenceCodec<Value>({ refer, resolve }: ReferenceOptions<Value>): Codec {
  return {
    contentType: 'reference',
    encode: (value) => base64Codec.encode(encodeJson(refer(value as Value), 'the reference')),
    async decode(body) {
      const reference = parseJson(String(base64Codec.decode(body)));
      const value = await resolve(reference);
      if (value === undefined) {
        throw new MalformedMessageError(
          `The message refers to something that no longer exists: ${JSON.stringify(reference)}`,
        );
      }
      return value;
    },
  };
}

/** Not shared: each copy of the package has its own built-in codecs, so that they throw its own error classes. */
const builtIn = new Map([jsonCodec, textCodec, base64Codec].map((codec) => [codec.contentType, codec]));

/** Shared by all copies of the package in a process. */
const key = Symbol.for('sqs-containers.codecs');
const holder = globalThis as { [key]?: Map<string, Codec> };
holder[key] ??= new Map();
const registered = holder[key];

/** Registers a codec under its content type, for sending and handling in this process. */
export function registerCodec(codec: Codec): void {
  registered.set(codec.contentType, codec);
}

/** The codec for a content type. Throws UnsupportedContentTypeError. */
export function codecOf(contentType: string): Codec {
  const codec = registered.get(contentType) ?? builtIn.get(contentType);
  if (codec) return codec;
  throw new UnsupportedContentTypeError(
    contentType.startsWith('pickle')
      ? `The message has the content type "${contentType}": pickles are refused, because unpickling can run any code. Send JSON (content_type = "json"), or handle the message in Python.`
      : `No codec is registered for the content type "${contentType}". Known: ${[...builtIn.keys(), ...registered.keys()].join(', ')}.`,
  );
}
