import { expect } from 'chai';
import fc from 'fast-check';
import { MalformedMessageError } from '../../src/message/call.ts';
import {
  base64Codec,
  callCodec,
  codecOf,
  jsonCodec,
  referenceCodec,
  textCodec,
  UnsupportedContentTypeError,
} from '../../src/message/codecs.ts';
import { codePoint } from '../support/code-point.ts';

/** Values that survive JSON unchanged: it has no -0. */
const json = fc
  .jsonValue()
  .filter((value) => !JSON.stringify(value).includes('__proto__'))
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const anyText = fc.oneof(
  fc.string({ unit: codePoint }),
  fc.json(),
  fc.string().map((text) => Buffer.from(text).toString('base64')),
);
const codecs = [jsonCodec, textCodec, base64Codec, callCodec];

describe('a codec', () => {
  it('for JSON round-trips any value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(jsonCodec.decode(jsonCodec.encode(value))).to.deep.equal(value);
      }),
    );
  });

  it('for calls round-trips any arguments', () => {
    fc.assert(
      fc.property(fc.array(json), (args) => {
        expect(callCodec.decode(callCodec.encode(args))).to.deep.equal(args);
      }),
    );
  });

  it('for text and base64 round-trips any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textCodec.decode(textCodec.encode(text))).to.equal(text);
        expect(base64Codec.decode(base64Codec.encode(text))).to.equal(text);
      }),
    );
  });

  it('for references returns the referenced value', async () => {
    const codec = referenceCodec<{ id: unknown }>({
      refer: ({ id }) => ['shop', id],
      resolve: (reference) => ({ id: (reference as unknown[])[1] }),
    });
    await fc.assert(
      fc.asyncProperty(json, async (id) => {
        expect(await codec.decode(codec.encode({ id }))).to.deep.equal({ id });
      }),
    );
  });

  it('for references reports a value that no longer exists', async () => {
    const codec = referenceCodec({ refer: () => 7, resolve: () => undefined });
    const error = await Promise.resolve(codec.decode(codec.encode({}))).catch((reason: unknown) => reason);
    expect(error)
      .to.be.instanceOf(MalformedMessageError)
      .with.property('message', 'The message refers to something that no longer exists: 7');
  });

  it('reads any text, or reports that it is malformed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...codecs), anyText, (codec, text) => {
        try {
          codec.decode(text);
        } catch (error) {
          expect(error).to.be.instanceOf(MalformedMessageError);
        }
      }),
    );
  });

  for (const text of ['YQ==', 'YQ', ' Y Q\n==\n', 'YQ=', '']) {
    it(`for base64 reads ${JSON.stringify(text)}`, () => {
      expect(base64Codec.decode(text)).to.equal(text === '' ? '' : 'a');
    });
  }

  for (const text of ['Y?', '=YQ', 'YQ===', 'Y=Q=', 'YQ==a']) {
    it(`for base64 refuses ${JSON.stringify(text)}`, () => {
      expect(() => base64Codec.decode(text)).to.throw(MalformedMessageError, 'The body is not base64.');
    });
  }

  it('for base64 refuses bytes that are not text, instead of replacing them', () => {
    expect(() => base64Codec.decode('/////w==')).to.throw(
      MalformedMessageError,
      'does not contain UTF-8 text',
    );
    expect(() => base64Codec.decode('YQ==YQ')).to.throw(MalformedMessageError, 'The body is not base64.');
  });

  it('for calls reads base64, and writes JSON', () => {
    expect(callCodec.decode('W1sxLCAyXSwgeyJ4IjogM31d')).to.deep.equal([1, 2, { x: 3 }]);
    expect(callCodec.encode([1, 2, { x: 3 }])).to.equal('[[1,2],{"x":3}]');
  });

  it('is not slowed down by a malicious body', () => {
    const bodies = [' ', 'W1sx', 'W\n', 'YQ', '=', '\n=', '[', '{"a":', '"\\', '\\u'].map(
      (piece) => `${piece.repeat(1_000_000 / piece.length)}!`,
    );
    const startedAt = performance.now();
    for (const body of bodies) {
      for (const codec of [jsonCodec, base64Codec, callCodec]) {
        expect(() => codec.decode(body)).to.throw(MalformedMessageError);
      }
    }
    // Quadratic time would take minutes; a busy machine may need a few seconds.
    expect(performance.now() - startedAt).to.be.below(30_000);
  }).timeout(40_000);

  it('reports what it could not write', () => {
    expect(() => jsonCodec.encode(1n)).to.throw('the input is a bigint');
    const codec = referenceCodec({ refer: () => 1n, resolve: () => 1 });
    expect(() => codec.encode({})).to.throw('the reference is a bigint');
    expect(codec.contentType).to.equal('reference');
  });

  it('that is missing is an error that names the others', () => {
    expect(() => codecOf('avro'))
      .to.throw(/Known: json, text, base64/)
      .with.property('name', 'UnsupportedContentTypeError');
  });

  it('is found only by content type, not by inherited property names', () => {
    expect(codecOf('json')).to.equal(jsonCodec);
    for (const name of ['__proto__', 'constructor', 'toString', '', 'pickle']) {
      expect(() => codecOf(name), name).to.throw(UnsupportedContentTypeError);
    }
  });
});
