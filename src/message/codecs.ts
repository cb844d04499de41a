/**
 * Codecs: how a value becomes the body of a message and back, by content type. `json` is built in; an application
 * registers its own. Pickles, which Doist's sqs-workers may send, are refused: reading one runs what its sender likes.
 */
import { isUtf8 } from 'node:buffer';
import { brand } from '../modules/brand.ts';
import { decodeCall, encodeCall, encodeJson, MalformedMessageError, parseBase64, parseJson } from './call.ts';

export interface Codec {
  /** As in the message attribute `ContentType`. */
  readonly contentType: string;
  /** Throws UnserializableArgumentError for what it cannot write. */
  encode(value: unknown): string;
  /** Throws MalformedMessageError for what it cannot read. */
  decode(body: string): unknown;
}

/** A body that no codec of this process can read, or that must not be read. The message stays for others. */
export class UnsupportedContentTypeError extends Error {
  static {
    brand(UnsupportedContentTypeError, 'UnsupportedContentTypeError');
  }
  override readonly name = 'UnsupportedContentTypeError';
}

/** JSON, as sqs-workers' `json`. */
export const jsonCodec: Codec = {
  contentType: 'json',
  encode: (value) => encodeJson(value, 'the input'),
  decode: (body) => parseJson(body),
};

/** The body as it is. */
export const textCodec: Codec = {
  contentType: 'text',
  encode: String,
  decode: (body) => body,
};

/** The arguments of a call: `[1, 2, { x: 3 }]` is `[[1,2],{"x":3}]`. Reads the base64 of that, too, which zc.sqs sends. */
export const callCodec: Codec = {
  contentType: 'call',
  encode: (value) => encodeCall(value as readonly unknown[]),
  decode: decodeCall,
};

/** A text in base64, as boto 2's default message class has it (django-sqs). */
export const base64Codec: Codec = {
  contentType: 'base64',
  encode: (value) => Buffer.from(String(value)).toString('base64'),
  decode(body) {
    const bytes = parseBase64(body);
    if (!bytes) throw new MalformedMessageError('The body is not base64.');
    // Decoding other bytes as text would replace some of them without a word.
    if (!isUtf8(bytes)) throw new MalformedMessageError('The body is base64, but not of UTF-8 text.');
    return bytes.toString();
  },
};

export interface ReferenceOptions<Value> {
  /** What to write for a value: anything that JSON can hold, such as `['shop', 'order', 17]`. */
  readonly refer: (value: Value) => unknown;
  /** Looks up what a reference stands for; undefined if it is gone. */
  readonly resolve: (reference: unknown) => Value | undefined | Promise<Value | undefined>;
}

/**
 * Sends a reference instead of the value, as base64 of JSON (django-sqs's model messages): the value is looked up when
 * the message is handled. A reference to what is gone is a MalformedMessageError.
 */
export function referenceCodec<Value>({ refer, resolve }: ReferenceOptions<Value>): Codec {
  return {
    contentType: 'reference',
    encode: (value) => base64Codec.encode(encodeJson(refer(value as Value), 'the reference')),
    async decode(body) {
      const reference = parseJson(String(base64Codec.decode(body)));
      const value = await resolve(reference);
      if (value === undefined) {
        throw new MalformedMessageError(`What the message refers to is gone: ${JSON.stringify(reference)}`);
      }
      return value;
    },
  };
}

/** Each copy of the package has its own of these, so that what they throw is of its own classes. */
const builtIn = new Map([jsonCodec, textCodec, base64Codec].map((codec) => [codec.contentType, codec]));

/** One registry for every copy of the package in a process. */
const key = Symbol.for('sqs-containers.codecs');
const holder = globalThis as { [key]?: Map<string, Codec> };
holder[key] ??= new Map();
const registered = holder[key];

/** Makes a codec known by its content type, to whoever sends and to whoever handles in this process. */
export function registerCodec(codec: Codec): void {
  registered.set(codec.contentType, codec);
}

/** The codec of a content type. Throws UnsupportedContentTypeError. */
export function codecOf(contentType: string): Codec {
  const codec = registered.get(contentType) ?? builtIn.get(contentType);
  if (codec) return codec;
  throw new UnsupportedContentTypeError(
    contentType.startsWith('pickle')
      ? `The message has the content type "${contentType}": pickles are not read, because reading one runs what its sender likes. Send JSON (content_type = "json"), or let Python handle it.`
      : `No codec is registered for the content type "${contentType}". Known: ${[...builtIn.keys(), ...registered.keys()].join(', ')}.`,
  );
}
