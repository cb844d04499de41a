import { expect } from 'chai';
import { countOf, describeCounts, formatSeconds, isYes } from '../../src/cli/terminal.ts';

describe('the terminal output', () => {
  it('shows times and counts briefly', () => {
    const times = [0, 0.4, 59.6, 61, 3_600, 90_061].map(formatSeconds);
    expect(times).to.deep.equal(['0 s', '0 s', '1 min', '1 min 1 s', '1 h', '1 d 1 h']);
    expect([0, 1, 1200].map((count) => countOf(count, 'message'))).to.deep.equal([
      '0 messages',
      '1 message',
      '1,200 messages',
    ]);
    expect(describeCounts({ visible: 1, inFlight: 2, delayed: 0 })).to.equal(
      '3 messages, 2 of them in flight',
    );
  });

  it('accepts only y or yes as a yes', () => {
    expect(['y', 'Y', 'yes', ' YES '].every(isYes)).to.equal(true);
    expect(['', 'n', 'no', 'yep', 'j'].some(isYes)).to.equal(false);
  });
});
