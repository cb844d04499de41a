import { expect } from 'chai';
import { median, percentile, slope } from '../../harness/statistics.ts';

describe('the statistics of the harness', () => {
  it('find the median and other percentiles of values in any order', () => {
    const values = [5, 1, 2, 4, 3];
    expect([median(values), percentile(values, 0.99), percentile(values, 0)]).to.deep.equal([3, 5, 1]);
    expect(values).to.deep.equal([5, 1, 2, 4, 3]);
    expect(median([])).to.be.NaN;
  });

  it('find the slope of the best-fitting line', () => {
    const line = (x: number): [number, number] => [x, 1 + 2 * x];
    expect(slope([0, 1, 2].map(line))).to.equal(2);
    expect(slope([line(0), [1, 4], [1, 2], line(2)])).to.equal(2);
  });
});
