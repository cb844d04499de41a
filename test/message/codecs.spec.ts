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

/** What JSON gives back as it was: it has no -0. */
const json = fc
  .jsonValue()
  .filter((value) => !JSON.stringify(value).includes('__proto__'))
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.json(),
  fc.string().map((text) => Buffer.from(text).toString('base64')),
);
const codecs = [jsonCodec, textCodec, base64Codec, callCodec];

describe('a codec', () => {
  it('of JSON gives back any value', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(jsonCodec.decode(jsonCodec.encode(value))).to.deep.equal(value);
      }),
    );
  });

  it('of calls gives back any arguments', () => {
    fc.assert(
      fc.property(fc.array(json), (args) => {
        expect(callCodec.decode(callCodec.encode(args))).to.deep.equal(args);
      }),
    );
  });

  it('of texts and of base64 gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textCodec.decode(textCodec.encode(text))).to.equal(text);
        expect(base64Codec.decode(base64Codec.encode(text))).to.equal(text);
      }),
    );
  });

  it('of references gives back what the reference stands for', async () => {
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

  it('of references says that what one stands for is gone', async () => {
    const codec = referenceCodec({ refer: () => 7, resolve: () => undefined });
    const error = await Promise.resolve(codec.decode(codec.encode({}))).catch((reason: unknown) => reason);
    expect(error)
      .to.be.instanceOf(MalformedMessageError)
      .with.property('message', 'What the message refers to is gone: 7');
  });

  it('reads any text, or says that it is malformed', () => {
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
    it(`of base64 reads ${JSON.stringify(text)}`, () => {
      expect(base64Codec.decode(text)).to.equal(text === '' ? '' : 'a');
    });
  }

  for (const text of ['Y?', '=YQ', 'YQ===', 'Y=Q=', 'YQ==a']) {
    it(`of base64 refuses ${JSON.stringify(text)}`, () => {
      expect(() => base64Codec.decode(text)).to.throw(MalformedMessageError, 'The body is not base64.');
    });
  }

  it('of base64 refuses bytes that are not text, instead of replacing them', () => {
    expect(() => base64Codec.decode('/////w==')).to.throw(MalformedMessageError, 'not of UTF-8 text');
    expect(() => base64Codec.decode('YQ==YQ')).to.throw(MalformedMessageError, 'The body is not base64.');
  });

  it('of calls reads base64, and writes JSON', () => {
    expect(callCodec.decode('W1sxLCAyXSwgeyJ4IjogM31d')).to.deep.equal([1, 2, { x: 3 }]);
    expect(callCodec.encode([1, 2, { x: 3 }])).to.equal('[[1,2],{"x":3}]');
  });

  it('takes no longer for a body that is made to be slow', () => {
    const bodies = [' ', 'W1sx', 'W\n', 'YQ', '=', '\n=', '[', '{"a":', '"\\', '\\u'].map(
      (piece) => `${piece.repeat(1_000_000 / piece.length)}!`,
    );
    const startedAt = performance.now();
    for (const body of bodies) {
      for (const codec of [jsonCodec, base64Codec, callCodec]) {
        expect(() => codec.decode(body)).to.throw(MalformedMessageError);
      }
    }
    // What is quadratic takes minutes, and a busy machine some seconds.
    expect(performance.now() - startedAt).to.be.below(30_000);
  }).timeout(40_000);

  it('says what it could not write', () => {
    expect(() => jsonCodec.encode(1n)).to.throw('the input is a bigint');
    const codec = referenceCodec({ refer: () => 1n, resolve: () => 1 });
    expect(() => codec.encode({})).to.throw('the reference is a bigint');
    expect(codec.contentType).to.equal('reference');
  });

  it('that is not there is an error that names the others', () => {
    expect(() => codecOf('avro'))
      .to.throw(/Known: json, text, base64/)
      .with.property('name', 'UnsupportedContentTypeError');
  });

  it('is found by content type, and by nothing that objects have by themselves', () => {
    expect(codecOf('json')).to.equal(jsonCodec);
    for (const name of ['__proto__', 'constructor', 'toString', '', 'pickle']) {
      expect(() => codecOf(name), name).to.throw(UnsupportedContentTypeError);
    }
  });
});
