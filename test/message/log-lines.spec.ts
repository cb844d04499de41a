import { expect } from 'chai';
import fc from 'fast-check';
import { decodeLine, encodeLine, printable } from '../../src/message/log-lines.ts';
import { codePoint } from '../support/code-point.ts';

describe('a messages log', () => {
  it('contains calls unchanged', () => {
    expect(encodeLine('[[1,2],{"x":"ä🙂"}]')).to.equal('[[1,2],{"x":"ä🙂"}]');
  });

  it('contains a multi-line body on one line', () => {
    expect(encodeLine('a\r\nb')).to.equal('"a\\r\\nb"');
  });

  it('contains a body that ends with a quote unchanged, and one that starts with a quote as JSON', () => {
    expect(encodeLine('a"')).to.equal('a"');
    expect(encodeLine('"a')).to.equal('"\\"a"');
  });

  it('escapes bidirectional controls', () => {
    expect(encodeLine('a\u202eb')).to.equal('"a\\u202eb"');
  });

  it('contains an empty body as two quotes, because empty lines do not count', () => {
    expect(encodeLine('')).to.equal('""');
  });

  it('returns every body exactly, from one line of printable characters', () => {
    const anyText = fc.oneof(
      fc.string({ unit: codePoint }),
      fc.string({
        unit: fc.constantFrom('"', '\\', '\n', '\r', 'a', '\u0085', '\u2028', '\u001b', '\u0000'),
      }),
      fc.string().map((text) => JSON.stringify(text)),
      fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    );
    fc.assert(
      fc.property(anyText, (body) => {
        const line = encodeLine(body);
        expect(line).to.not.match(/[\p{Cc}\u2028\u2029]/u);
        // The file is UTF-8.
        expect(decodeLine(Buffer.from(line).toString())).to.equal(body);
      }),
    );
  });

  it('reads lines written by other programs unchanged', () => {
    for (const line of ['"not the end', '"a" and "b"', '{"a":1}', '42', 'a"', '"']) {
      expect(decodeLine(line)).to.equal(line);
    }
  });
});

describe('untrusted text', () => {
  it('is shown with line ends, control characters and bidirectional controls escaped', () => {
    expect(printable('a\nb\r\u001b[2J\u009b\u2028\u202e\u2066é😀')).to.equal(
      'a\\nb\\u000d\\u001b[2J\\u009b\\u2028\\u202e\\u2066é😀',
    );
  });

  it('is otherwise unchanged, in any script', () => {
    for (const text of ['', 'a b', 'مرحبا', 'שלום', 'न\u200dष']) expect(printable(text)).to.equal(text);
  });
});
