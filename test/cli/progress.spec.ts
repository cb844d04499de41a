import { expect } from 'chai';
import { formatRate, Pacer } from '../../src/cli/progress.ts';

describe('the pace of work in progress', () => {
  it('is known from the second sample on', () => {
    const pacer = new Pacer();
    expect(pacer.look(100, 0)).to.deep.equal({ done: 0, total: 100, rate: 0, secondsLeft: undefined });
    expect(pacer.look(80, 10_000)).to.deep.equal({ done: 20, total: 100, rate: 2, secondsLeft: 40 });
  });

  it('is based on the last minute', () => {
    const pacer = new Pacer();
    pacer.look(1_000, 0);
    pacer.look(500, 10_000);
    expect(pacer.look(440, 70_000)).to.include({ rate: 1, secondsLeft: 440 });
  });

  it('has a larger total when more work arrives, and no time left while there is no progress', () => {
    const pacer = new Pacer();
    pacer.look(10, 0);
    expect(pacer.look(30, 10_000)).to.deep.equal({ done: 0, total: 30, rate: -2, secondsLeft: undefined });
  });

  it('is finished when nothing is left', () => {
    expect(new Pacer().look(0, 0)).to.deep.equal({ done: 0, total: 0, rate: 0, secondsLeft: 0 });
  });

  it('shows a decimal only for rates below 10', () => {
    expect([0.456, 9.96, 1234.5].map(formatRate)).to.deep.equal(['0.5', '10.0', '1235']);
  });
});
