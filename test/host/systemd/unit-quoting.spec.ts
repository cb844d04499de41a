// Whatever a path or an argument is: it stays one, on its line.
import { expect } from 'chai';
import fc from 'fast-check';
import { unitArgument, unitPath, unitWord } from '../../../src/host/systemd/unit-quoting.ts';

const CONTROL = /\p{Cc}/u;

/** What systemd reads of a line of words, as systemd.syntax(7) says. */
function read(line: string): string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"'\\;]+)/g)];
  expect(words.map(([word]) => word).join(' '), 'all is words').to.equal(line);
  return words.map(([, quoted, plain]) =>
    (
      quoted?.replace(/((?:\\x[\da-f]{2})+)|\\(.)/g, (_, bytes: string | undefined, character: string) =>
        bytes === undefined ? character : Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString(),
      ) ??
      plain ??
      ''
    ).replaceAll('%%', '%'),
  );
}

/** What it reads of a command, as systemd.service(5) says. */
function readCommand(line: string): string[] {
  return read(line).map((word) => word.replaceAll('$$', '$'));
}

describe('words in a unit file', () => {
  const word = fc.string({
    unit: fc.oneof(fc.constantFrom(...'"\\\'%$; \n\t\r\0\u0085x'), fc.string({ unit: 'grapheme' })),
  });

  it('are read as they are', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(read(words.map(unitWord).join(' '))).to.deep.equal(words);
      }),
    );
  });

  it('are read as they are in commands, dollar signs and all', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(word, word).map((parts) => parts.join('$')),
          { minLength: 1 },
        ),
        (words) => {
          const line = words.map(unitArgument).join(' ');
          expect(line.replaceAll('$$', '')).not.to.contain('$');
          expect(readCommand(line)).to.deep.equal(words);
        },
      ),
    );
  });

  it('begin no line of their own, and no specifier', () => {
    fc.assert(
      fc.property(fc.oneof(word, fc.string({ unit: 'binary' })), (text) => {
        for (const quote of [unitPath, unitWord, unitArgument]) {
          expect(quote(text)).not.to.match(CONTROL);
          expect(quote(text).replaceAll('%%', '')).not.to.contain('%');
        }
      }),
    );
  });
});
