import { expect } from 'chai';
import { printable } from '../../src/message/printable.ts';

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
