import { expect } from 'chai';
import {
  type BackoffOptions,
  constantBackoff,
  exponentialBackoff,
  noBackoff,
} from '../../src/worker/backoff.ts';

describe('backoff', () => {
  const delays = (backoff: (receiveCount: number) => number | undefined) => [1, 2, 3, 4, 11].map(backoff);
  const exact: BackoffOptions = { spread: 0 };

  it('none leaves the delay to the visibility timeout', () => {
    expect(noBackoff(3)).to.equal(undefined);
  });

  it('constant is the same each time', () => {
    expect(delays(constantBackoff({ ...exact, base: 7 }))).to.deep.equal([7, 7, 7, 7, 7]);
  });

  it('exponential doubles each time, up to half an hour', () => {
    expect(delays(exponentialBackoff(exact))).to.deep.equal([1, 2, 4, 8, 1024]);
    expect(exponentialBackoff(exact)(50)).to.equal(1800);
  });

  it('accepts a different base and maximum', () => {
    expect(delays(exponentialBackoff({ ...exact, base: 10, max: 500 }))).to.deep.equal([
      1, 10, 100, 500, 500,
    ]);
  });

  it('has a normal spread of a tenth, and stays within its bounds', () => {
    const backoff = exponentialBackoff({ max: 1000 });
    const sample = Array.from({ length: 5000 }, () => backoff(9) ?? 0);
    const mean = sample.reduce((a, b) => a + b) / sample.length;
    const deviation = Math.sqrt(sample.reduce((sum, one) => sum + (one - mean) ** 2, 0) / sample.length);
    expect(mean).to.be.within(250, 262);
    expect(deviation).to.be.within(22, 29);
    expect(Math.max(...Array.from({ length: 1000 }, () => backoff(50) ?? 0))).to.be.at.most(1000);
  });

  it('is never negative, or more than SQS accepts', () => {
    expect(constantBackoff({ base: 1e6, max: 1e6, spread: 0 })(1)).to.equal(43_200);
    const wild = constantBackoff({ base: 10, spread: 1 });
    for (let count = 0; count < 1000; count += 1) expect(wild(1)).to.be.at.least(0);
  });
});
