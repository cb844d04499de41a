// Whatever the body, and wherever it is truncated, no part of a secret is shown.
import { expect } from 'chai';
import fc from 'fast-check';
import { redacted } from '../../../src/observe/metrics/redacted.ts';
import { codePoint } from '../../support/code-point.ts';

/** Appears in these texts only as a secret. */
const SECRET = 'hunter2';

const word = fc.constantFrom('pass', 'PWD', 'Secret', 'token', 'apikey', 'credential', 'Authorization');
const affix = fc.stringMatching(/^[a-z_.-]{0,8}$/);
const secretKey = fc.tuple(affix, word, affix).map((parts) => parts.join(''));
const plainKey = fc.stringMatching(/^[b-d_-]{0,6}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
/** A secret with other characters around it, including those that could end it too early. */
const secret = fc
  .tuple(text, fc.constantFrom('', '"', "'", '\\', '}', '&', ',', ' ', '://'), text)
  .map(([before, middle, after]) => `${before}${SECRET}${middle}${SECRET}${after}`);

/** Any JSON with a secret somewhere in it, under a key whose name suggests a secret. */
const { withSecret } = fc.letrec<{ withSecret: unknown; hidden: unknown }>((tie) => ({
  hidden: fc.oneof(
    { depthSize: 'small' },
    secret,
    fc.array(secret, { minLength: 1, maxLength: 3 }),
    fc.dictionary(plainKey, tie('hidden'), { minKeys: 1, maxKeys: 2 }),
  ),
  withSecret: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc
      .tuple(fc.dictionary(plainKey, fc.jsonValue(), { maxKeys: 3 }), secretKey, tie('hidden'))
      .map(([others, key, value]) => ({ ...others, [key]: value })),
    fc.array(tie('withSecret'), { minLength: 1, maxLength: 3 }),
    fc.dictionary(plainKey, tie('withSecret'), { minKeys: 1, maxKeys: 2 }),
    tie('withSecret').map((inner) => ({ Message: JSON.stringify(inner) })),
  ),
}));
const length = fc.integer({ min: 1, max: 600 });

describe('a redacted text, whatever it is', () => {
  it('shows no secret in JSON, nor in JSON inside JSON', () => {
    const body = fc
      .tuple(withSecret, fc.constantFrom(undefined, 2))
      .map(([v, space]) => JSON.stringify(v, null, space));
    fc.assert(
      fc.property(body, length, (body, length) => {
        expect(redacted(body, length)).not.to.contain(SECRET);
      }),
      { numRuns: 1_000 },
    );
  });

  it('shows no secret in JSON that is truncated or preceded by text', () => {
    const body = fc
      .tuple(withSecret, fc.nat(300), fc.constantFrom('', 'Error: ', '\n'))
      .map(([value, cut, before]) => before + JSON.stringify(value).slice(0, -1 - cut));
    fc.assert(
      fc.property(body, length, (body, length) => {
        expect(redacted(body, length)).not.to.contain(SECRET);
      }),
      { numRuns: 1_000 },
    );
  });

  it('shows no secret in lines, forms, queries, commands and XML', () => {
    const value = fc.stringMatching(/^[*-;?-Z]{0,8}hunter2[!-%'-;?-~]{0,8}$/);
    const body = fc
      .tuple(text, secretKey, value, text)
      .chain(([before, key, value, after]) =>
        fc.constantFrom(
          `${key}: ${value} ${value}\n${after}`,
          `${before}\n${key} = ${value} ${value}\n${after}`,
          `a=b&${key}=${encodeURIComponent(value)}&c=d`,
          `https://host/path?${key}=${encodeURIComponent(value)}#end`,
          `mail --${key}=${encodeURIComponent(value)} --to ann`,
          `<${key}>${value}</${key}>`,
          `${key}:\n  ${value}\n`,
          `${key}='${value.replaceAll("'", '')}'${before}`,
        ),
      );
    fc.assert(
      fc.property(body, length, (body, length) => {
        expect(redacted(body, length)).not.to.contain(SECRET);
      }),
      { numRuns: 1_000 },
    );
  });

  it('shows no password of a URL', () => {
    const url = fc
      .tuple(fc.stringMatching(/^[a-z+]{1,9}$/), fc.stringMatching(/^[\w%.]{0,6}$/), text)
      .map(
        ([scheme, user, rest]) =>
          `${scheme}://${user}:${encodeURIComponent(`${SECRET}${rest.toWellFormed()}`)}@host/queue`,
      );
    const body = fc.tuple(text, url, text).map((parts) => parts.join(' '));
    const bodies = fc.oneof(
      body,
      body.map((text) => JSON.stringify({ a: [text] })),
    );
    fc.assert(
      fc.property(bodies, length, (body, length) => {
        expect(redacted(body, length)).not.to.contain(SECRET);
      }),
    );
  });

  it('is no longer than requested, and computed quickly', () => {
    const awful = fc
      .tuple(
        fc.constantFrom('pass', 'key="', 'token ', '//a:', 'secret:\\"', '"', '[', '{"a":', 'pass[', ' '),
        fc.nat(300_000),
      )
      .map(([piece, length]) => piece.repeat(Math.ceil(length / piece.length)));
    fc.assert(
      fc.property(fc.oneof(awful, fc.string({ unit: codePoint })), length, (body, length) => {
        const startedAt = performance.now();
        expect(redacted(body, length).length).to.be.at.most(length + 1);
        expect(performance.now() - startedAt).to.be.below(2_000);
      }),
      { numRuns: 200 },
    );
  });
});
