import { expect } from 'chai';
import { aheadAt, bendClock } from '../../chaos/clock-jumps.ts';
import { elapsed } from '../../harness/clock.ts';

describe('the clock in a chaos run', () => {
  const jumps = [
    { at: 10, aheadMs: 5 },
    { at: 20, aheadMs: -1 },
  ];

  it('is ahead by the last jump', () => {
    expect([9, 10, 19, 20].map((at) => aheadAt(jumps, at))).to.deep.equal([0, 5, 5, -1]);
  });

  it('affects Date and nothing else', () => {
    const straighten = bendClock([{ at: elapsed() - 1, aheadMs: 3_600_000 }]);
    const [ahead, made, parsed] = [Date.now(), new Date(), new Date(0)];
    straighten();
    expect(ahead - Date.now()).to.be.within(3_599_000, 3_601_000);
    expect(made.getTime() - ahead).to.be.within(0, 1_000);
    expect(made).to.be.an.instanceOf(Date);
    expect(parsed.getTime()).to.equal(0);
  });
});
