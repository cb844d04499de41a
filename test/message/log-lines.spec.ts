import { expect } from 'chai';
import fc from 'fast-check';
import { decodeLine, encodeLine, printable } from '../../src/message/log-lines.ts';

describe('a messages log', () => {
  it('has calls as they are', () => {
    expect(encodeLine('[[1,2],{"x":"ä🙂"}]')).to.equal('[[1,2],{"x":"ä🙂"}]');
  });

  it('has a body of several lines on one', () => {
    expect(encodeLine('a\r\nb')).to.equal('"a\\r\\nb"');
  });

  it('has a body that ends in a quote as it is, and one that begins with it as JSON', () => {
    expect(encodeLine('a"')).to.equal('a"');
    expect(encodeLine('"a')).to.equal('"\\"a"');
  });

  it('has what turns writing around as escapes', () => {
    expect(encodeLine('a\u202eb')).to.equal('"a\\u202eb"');
  });

  it('has an empty body as two quotes, because an empty line is none', () => {
    expect(encodeLine('')).to.equal('""');
  });

  it('gives back every body to the last character, from one line of printable characters', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
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
        // The way to the file and back is UTF-8.
        expect(decodeLine(Buffer.from(line).toString())).to.equal(body);
      }),
    );
  });

  it('reads lines that something else wrote as they are', () => {
    for (const line of ['"not the end', '"a" and "b"', '{"a":1}', '42', 'a"', '"']) {
      expect(decodeLine(line)).to.equal(line);
    }
  });
});

describe('a text from outside', () => {
  it('is shown with escapes for what ends lines, moves cursors or turns writing around', () => {
    expect(printable('a\nb\r\u001b[2J\u009b\u2028\u202e\u2066é😀')).to.equal(
      'a\\nb\\u000d\\u001b[2J\\u009b\\u2028\\u202e\\u2066é😀',
    );
  });

  it('is as it is otherwise, whatever it is written in', () => {
    for (const text of ['', 'a b', 'مرحبا', 'שלום', 'न\u200dष']) expect(printable(text)).to.equal(text);
  });
});
