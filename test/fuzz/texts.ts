// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${} is what the environment fills in
// Texts for parsers: random, valid, and valid with something broken.
import fc from 'fast-check';
import { codePoint } from '../support/code-point.ts';

/** Pieces that parsers often get wrong. */
const piece = fc.constantFrom(
  '__proto__',
  'constructor',
  '\\u005f_proto__',
  '"',
  "'",
  '\\',
  '[',
  ']',
  '{',
  '}',
  ':',
  ',',
  '=',
  ';',
  '#',
  '${',
  '%',
  '\0',
  '\n',
  '\r',
  '\u2028',
  '\u202e',
  '\ud800',
  '\ufeff',
  '\u001b[2J',
  '1e999',
  '-',
  ' ',
  'a'.repeat(300),
  '['.repeat(2_000),
  '{"a":'.repeat(600),
  ' '.repeat(5_000),
);

/** A text with some of its characters replaced, removed or repeated. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.constantFrom(0, 0, 1, 1, 2, 10, 1_000),
    put: fc.oneof(piece, fc.string({ unit: codePoint, maxLength: 3 }), fc.constant('')),
    times: fc.constantFrom(1, 1, 1, 2, 100),
  });
  return fc.tuple(texts, fc.array(change, { maxLength: 4 })).map(([text, changes]) =>
    changes.reduce((changed, { at, removed, put, times }) => {
      const start = Math.floor(at * changed.length);
      return changed.slice(0, start) + put.repeat(times) + changed.slice(start + removed);
    }, text),
  );
}

const call = fc
  .tuple(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))
  .map((parts) => JSON.stringify(parts));

function inBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** Any text, and broken JSON, also in base64. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: codePoint }),
  fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
  mutated(fc.oneof(fc.json(), call)),
  mutated(mutated(call).map(inBase64)),
);
