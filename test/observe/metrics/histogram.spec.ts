import { expect } from 'chai';
import fc from 'fast-check';
import { BOUNDS, countOf, Histogram, quantile, sumOf } from '../../../src/observe/metrics/histogram.ts';

function histogramOf(...seconds: number[]): Histogram {
  const histogram = new Histogram();
  for (const value of seconds) histogram.add(value);
  return histogram;
}

describe('a histogram of durations', () => {
  it('has increasing bounds that are round numbers', () => {
    expect(BOUNDS.slice(0, 7)).to.deep.equal([0.0001, 0.00015, 0.0002, 0.0003, 0.0005, 0.0007, 0.001]);
    expect(BOUNDS).to.deep.equal(BOUNDS.toSorted((one, other) => one - other));
    expect(BOUNDS.at(-1)).to.equal(7_000_000);
  });

  it('counts a duration in the bucket whose bound it does not exceed', () => {
    const { counts, sum } = histogramOf(0, 0.0001, 0.00011, 1, 1e9).counts;
    const filled = counts.flatMap((count, bucket) => (count > 0 ? [[BOUNDS[bucket], count]] : []));
    expect(filled).to.deep.equal([
      [0.0001, 2],
      [0.00015, 1],
      [1, 1],
      [undefined, 1],
    ]);
    expect(sum).to.be.closeTo(1e9 + 1.00021, 1e-6);
  });

  it('interpolates a quantile within its bucket', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.0001, max: 1_000_000, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.constantFrom(0.5, 0.99),
        (durations, share) => {
          const exact = durations.toSorted((one, other) => one - other)[
            Math.ceil(durations.length * share - 1e-9) - 1
          ]!;
          const bucket = BOUNDS.findIndex((bound) => exact <= bound);
          const estimate = quantile(histogramOf(...durations).counts, share)!;
          expect(estimate).to.be.within(BOUNDS[bucket - 1] ?? 0, BOUNDS[bucket]!);
        },
      ),
    );
  });

  it('has no quantile if nothing was counted', () => {
    expect(quantile(new Histogram().counts, 0.5)).to.equal(undefined);
  });

  it('can be added to another', () => {
    const both = sumOf(histogramOf(1, 2).counts, histogramOf(2, 30).counts);
    expect(both).to.deep.equal(histogramOf(1, 2, 2, 30).counts);
    expect(countOf(both)).to.equal(4);
  });

  it('returns counts that no longer change', () => {
    const histogram = histogramOf(1);
    const { counts } = histogram;
    histogram.add(1);
    expect(countOf(counts)).to.equal(1);
  });
});
