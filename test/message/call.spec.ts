import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeCall,
  encodeCall,
  MalformedMessageError,
  parseJson,
  UnserializableArgumentError,
} from '../../src/message/call.ts';

function thrown(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('the wire format of a call', () => {
  describe('writing', () => {
    it('is [args, kwargs]', () => {
      expect(encodeCall([1, 2, 3])).to.equal('[[1,2,3],{}]');
      expect(encodeCall([])).to.equal('[[],{}]');
    });

    it('sends a non-empty plain object as the last argument as keyword arguments', () => {
      expect(encodeCall([1, 2, { x: 3 }])).to.equal('[[1,2],{"x":3}]');
      expect(encodeCall([Object.assign(Object.create(null), { x: 3 })])).to.equal('[[],{"x":3}]');
    });

    it('does not move an empty object at the end, or objects elsewhere', () => {
      expect(encodeCall([1, {}])).to.equal('[[1,{}],{}]');
      expect(encodeCall([{ x: 3 }, 1])).to.equal('[[{"x":3},1],{}]');
      expect(encodeCall([[{ x: 3 }]])).to.equal('[[[{"x":3}]],{}]');
    });

    it('uses toJSON if there is one, and omits undefined properties', () => {
      expect(encodeCall([new Date(0)])).to.equal('[["1970-01-01T00:00:00.000Z"],{}]');
      expect(encodeCall([{ a: 1, b: undefined }, 2])).to.equal('[[{"a":1},2],{}]');
    });

    it('escapes the two characters that JSON allows and SQS does not', () => {
      expect(encodeCall(['\uFFFE\uFFFF\uFFFD😀'])).to.equal('[["\\ufffe\\uffff\uFFFD😀"],{}]');
      expect(decodeCall(encodeCall(['\uFFFE\uFFFF']))).to.deep.equal(['\uFFFE\uFFFF']);
    });

    const cycle: unknown[] = [];
    cycle.push({ cycle });
    const refused: [string, unknown[], string][] = [
      ['a function', [1, { a: [() => 0] }, 2], 'argument 2.a[0] is a function'],
      ['a bigint', [1n], 'argument 1 is a bigint'],
      ['a symbol', [{ s: Symbol('s') }], 'argument 1.s is a symbol'],
      ['undefined', [1, undefined], 'argument 2 is undefined'],
      ['undefined in an array', [[undefined]], 'argument 1[0] is undefined'],
      ['a hole in an array', [new Array(1)], 'argument 1[0] is undefined'],
      ['NaN', [Number.NaN], 'argument 1 is NaN'],
      ['infinity', [{ n: [Number.NEGATIVE_INFINITY] }], 'argument 1.n[0] is -Infinity'],
      ['a map', [{ m: new Map() }], 'argument 1.m is a Map, which JSON cannot hold'],
      ['a typed array', [new Uint8Array(1)], 'argument 1 is a Uint8Array, which JSON cannot hold'],
      ['a cycle', [cycle], 'argument 1[0].cycle contains itself'],
      ['the key __proto__', [JSON.parse('{"a":{"__proto__":1}}')], 'argument 1.a has the key "__proto__"'],
    ];
    for (const [what, args, path] of refused) {
      it(`refuses ${what} and names the path`, () => {
        expect(() => encodeCall(args)).to.throw(
          UnserializableArgumentError,
          `Cannot write the call as JSON: ${path}.`,
        );
      });
    }
  });

  describe('reading', () => {
    it('returns the arguments, with keyword arguments last if there are any', () => {
      expect(decodeCall('[[1,2],{}]')).to.deep.equal([1, 2]);
      expect(decodeCall('[[1, 2], {"x": 3}]')).to.deep.equal([1, 2, { x: 3 }]);
      expect(decodeCall('[[{}],{}]')).to.deep.equal([{}]);
    });

    const malformed: [string, string, string][] = [
      ['an empty body', '', 'The body is empty.'],
      ['no JSON', 'hello', 'The body is not JSON: "hello"'],
      ['an object', '{"to":"c@d"}', 'The body is not [args, kwargs]'],
      ['null', 'null', 'The body is not [args, kwargs]'],
      ['only arguments', '[[1]]', 'The body is not [args, kwargs]'],
      ['three parts', '[[1],{},{}]', 'The body is not [args, kwargs]'],
      ['kwargs that are an array', '[[1],[]]', 'The body is not [args, kwargs]'],
      ['args that are an object', '[{},{}]', 'The body is not [args, kwargs]'],
      ['a key __proto__', '[[],{"__proto__":{"admin":true}}]', 'The body has the key "__proto__"'],
      ['a key __proto__ spelled with escapes', '[[{"\\u005f_proto__":1}],{}]', 'has the key "__proto__"'],
      ['a million brackets', '['.repeat(1_000_000), 'nests deeper than 500 levels'],
      ['deep arguments', `[[${'['.repeat(600)}${']'.repeat(600)}],{}]`, 'nests deeper than 500 levels'],
      ['1 MiB of text', 'x'.repeat(1_048_576), 'The body is not JSON'],
    ];
    for (const [what, body, message] of malformed) {
      it(`refuses ${what}`, () => {
        expect(() => decodeCall(body)).to.throw(MalformedMessageError, message);
      });
    }

    describe('base64, which Python sends', () => {
      const inBase64 = (text: string) => Buffer.from(text).toString('base64');
      const call = '[[1, 2], {"x": 3}]';

      it('returns the same arguments', () => {
        expect(decodeCall('W1sxLCAyXSwgeyJ4IjogM31d')).to.deep.equal([1, 2, { x: 3 }]);
        expect(decodeCall(inBase64('[[], {}]'))).to.deep.equal([]);
        expect(decodeCall(inBase64('[["\\u00fc", "ü 😀"], {}]'))).to.deep.equal(['ü', 'ü 😀']);
        expect(decodeCall(inBase64('[ [ "AAAA" ],\n{ } ]'))).to.deep.equal(['AAAA']);
      });

      it('may have no padding, or be split into lines', () => {
        for (const spaces of ['', ' ', '  ']) {
          const encoded = inBase64(`${call}${spaces}`);
          for (const body of [
            encoded,
            encoded.replace(/=+$/, ''),
            `${encoded}\n`,
            `\n${encoded.replace(/.{8}/g, '$&\r\n')} `,
          ])
            expect(decodeCall(body), JSON.stringify(body)).to.deep.equal([1, 2, { x: 3 }]);
        }
        const text = 'x'.repeat(1_000);
        const lines = inBase64(JSON.stringify([[text], {}])).replace(/.{76}/g, '$&\n');
        expect(decodeCall(lines)).to.deep.equal([text]);
      });

      const refused: [string, string, string][] = [
        ['half of a call', inBase64('[[1, 2'), 'The body, decoded from base64, is not JSON: "[[1, 2"'],
        ['an array', inBase64('[1]'), 'The body, decoded from base64, is not [args, kwargs]'],
        ['an object', inBase64('{"x":3}'), 'The body, decoded from base64, is not [args, kwargs]'],
        ['a key __proto__', inBase64('[[],{"__proto__":1}]'), 'has the key "__proto__"'],
        ['a million brackets', inBase64('['.repeat(1_000_000)), 'nests deeper than 500 levels'],
        ['base64 of base64', inBase64(inBase64(call)), 'The body is not JSON'],
        [
          'bytes that are not UTF-8',
          Buffer.from('[["\xff"],{}]', 'latin1').toString('base64'),
          'is not JSON: "W1si',
        ],
        ['a digit too many', `${inBase64(call)}A`, 'The body is not JSON: "W1sx'],
        ['another character', inBase64(call).replace('L', '?'), 'The body is not JSON: "W1sx'],
        ['padding in the middle', `W1s=${inBase64(call)}`, 'The body is not JSON: "W1s='],
        ['a word', 'Where', 'The body is not JSON: "Where"'],
        ['a letter', 'W', 'The body is not JSON: "W"'],
      ];
      for (const [what, body, message] of refused) {
        it(`refuses ${what}`, () => {
          expect(() => decodeCall(body)).to.throw(MalformedMessageError, message);
        });
      }
    });

    it('does not mistake brackets and "__proto__" inside strings', () => {
      const text = `${'['.repeat(2_000)}"\\${'{'.repeat(2_000)} __proto__`;
      expect(decodeCall(encodeCall([text]))).to.deep.equal([text]);
    });

    it('accepts a body with many brackets that is not deep', () => {
      const wide = Array.from({ length: 2_000 }, (_, index) => (index % 2 === 0 ? [] : {}));
      expect(decodeCall(JSON.stringify([[wide], {}]))).to.deep.equal([wide]);
    });

    it('accepts 500 levels of any kind, and no more', () => {
      // The spaces make it long enough to be checked.
      const nested = (depth: number, open: string, close: string) =>
        `${open.repeat(depth)}1${close.repeat(depth)}${' '.repeat(1_000)}`;
      for (const [open, close] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        expect(() => parseJson(nested(500, open, close))).not.to.throw();
        expect(() => parseJson(nested(501, open, close))).to.throw(MalformedMessageError, 'deeper than 500');
      }
    });

    it('finds brackets after a string, whatever the string ends in', () => {
      for (const text of ['', 'a', '\\', '\\"', '"', '\\\\']) {
        const body = `[[${JSON.stringify(text)},${'['.repeat(600)}${']'.repeat(600)}],{}]`;
        expect(() => decodeCall(body), text).to.throw(MalformedMessageError, 'nests deeper than 500 levels');
      }
    });

    it('finds a key "__proto__" anywhere, among other keys', () => {
      for (const body of [
        '[[1,{"a":1,"b":{"__proto__":1}},2],{}]',
        '[[],{"a":1,"b":[{"\\u005f_proto__":1}]}]',
      ])
        expect(() => decodeCall(body), body).to.throw(MalformedMessageError, 'has the key "__proto__"');
    });

    it('quotes only the beginning of a long body in its error', () => {
      expect(() => decodeCall('x'.repeat(10_000))).to.throw(`: "${'x'.repeat(80)}…"`);
      expect(() => decodeCall('x'.repeat(80))).to.throw(`: "${'x'.repeat(80)}"`);
    });

    it("keeps the parser's error as the cause, in an error recognized by name", () => {
      const error = thrown(() => decodeCall('[')) as Error;
      expect(error.name).to.equal('MalformedMessageError');
      expect(error.cause).to.be.instanceOf(SyntaxError);
      expect((thrown(() => encodeCall([1n])) as Error).name).to.equal('UnserializableArgumentError');
    });
  });

  it('does not write anything too deep to be read', () => {
    for (let depth = 490; depth <= 510; depth += 1) {
      const value = JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;
      const written = thrown(() => encodeCall([value]));
      if (depth <= 497) expect(written, `${depth}`).to.equal(undefined);
      else if (written)
        expect(written).to.have.property('message').that.contains('nests deeper than 500 levels');
      else expect(() => decodeCall(encodeCall([value])), `${depth}`).not.to.throw();
    }
  });

  it('returns exactly what was sent, for any JSON value', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ noUnicodeString: false })), (args) => {
        fc.pre(!JSON.stringify(args).includes('__proto__'));
        const sent = JSON.parse(JSON.stringify(args)) as unknown[];
        expect(decodeCall(encodeCall(sent))).to.deep.equal(sent);
        expect(decodeCall(Buffer.from(encodeCall(sent)).toString('base64'))).to.deep.equal(sent);
      }),
    );
  });
});
