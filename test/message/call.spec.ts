import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeCall,
  encodeCall,
  MalformedMessageError,
  UnserializableArgumentError,
} from '../../src/message/call.ts';

describe('the wire format of a call', () => {
  describe('writing', () => {
    it('is [args, kwargs]', () => {
      expect(encodeCall([1, 2, 3])).to.equal('[[1,2,3],{}]');
      expect(encodeCall([])).to.equal('[[],{}]');
    });

    it('sends a non-empty plain object in last place as keyword arguments', () => {
      expect(encodeCall([1, 2, { x: 3 }])).to.equal('[[1,2],{"x":3}]');
      expect(encodeCall([Object.assign(Object.create(null), { x: 3 })])).to.equal('[[],{"x":3}]');
    });

    it('leaves an empty object in last place, and objects elsewhere, where they are', () => {
      expect(encodeCall([1, {}])).to.equal('[[1,{}],{}]');
      expect(encodeCall([{ x: 3 }, 1])).to.equal('[[{"x":3},1],{}]');
      expect(encodeCall([[{ x: 3 }]])).to.equal('[[[{"x":3}]],{}]');
    });

    it('uses toJSON where there is one, and leaves out undefined properties', () => {
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
    it('gives the arguments, with keyword arguments last if there are any', () => {
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

    it('takes brackets and "__proto__" inside texts for what they are', () => {
      const text = `${'['.repeat(2_000)}"\\${'{'.repeat(2_000)} __proto__`;
      expect(decodeCall(encodeCall([text]))).to.deep.equal([text]);
    });

    it('quotes only the beginning of a long body in its error', () => {
      expect(() => decodeCall('x'.repeat(10_000))).to.throw(/^.{1,200}$/);
    });
  });

  it('brings back what was sent, whatever JSON can hold', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue({ noUnicodeString: false })), (args) => {
        fc.pre(!JSON.stringify(args).includes('__proto__'));
        const sent = JSON.parse(JSON.stringify(args)) as unknown[];
        expect(decodeCall(encodeCall(sent))).to.deep.equal(sent);
      }),
    );
  });
});
