import { expect } from 'chai';
import fc from 'fast-check';
import { parseDuration } from '../../src/config/duration.ts';

describe('a duration', () => {
  const seconds: [string, number][] = [
    ['0', 0],
    ['30', 30],
    ['0.5', 0.5],
    ['500ms', 0.5],
    ['0s', 0],
    ['10s', 10],
    ['2.05m', 123],
    ['5m', 300],
    ['12h', 43_200],
    ['1h30m', 5400],
    ['1h 30m 5 s', 5405],
    ['2d', 172_800],
  ];
  for (const [text, length] of seconds) {
    it(`of ${text} is ${length} seconds`, () => expect(parseDuration(text, 'seconds')).to.equal(length));
  }

  it('without a unit is in the requested unit', () => {
    expect(parseDuration('200', 'milliseconds')).to.equal(200);
    expect(parseDuration('0.2s', 'milliseconds')).to.equal(200);
    expect(parseDuration('1m', 'milliseconds')).to.equal(60_000);
  });

  for (const text of [
    '',
    ' ',
    'soon',
    '-5',
    '-5s',
    '+5',
    '.5',
    '5.',
    '1e3',
    '0x10',
    'Infinity',
    'NaN',
    '30s junk',
    'PT30S',
    '1h30',
    '30m1h',
    '1s1s',
    '1,000',
    '1 000',
    '5M',
    '5 minutes',
    's',
  ]) {
    it(`is not "${text}"`, () => expect(parseDuration(text, 'seconds')).to.equal(undefined));
  }

  it('is a non-negative number or undefined, for any text', () => {
    const pieces = fc.array(fc.constantFrom('1', '99', '.', '-', ' ', 'd', 'h', 'm', 's', 'ms', 'e'));
    fc.assert(
      fc.property(pieces, (parts) => {
        const length = parseDuration(parts.join(''), 'seconds');
        return length === undefined || length >= 0;
      }),
    );
  });
});
