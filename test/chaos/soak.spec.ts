import { expect } from 'chai';
import { growthOf } from '../../chaos/soak.ts';
import type { Sample } from '../../chaos/soak-worker.ts';

describe('the growth of a process', () => {
  const samples = (rssOf: (index: number) => number): Sample[] =>
    Array.from({ length: 100 }, (_, index) => ({
      messages: (index + 1) * 1_000,
      rss: rssOf(index),
      heapUsed: 0,
      handles: 0,
    }));
  const growth = (rssOf: (index: number) => number) => growthOf(samples(rssOf), ({ rss }) => rss).growth;

  it('is about zero for values that go up and down', () => {
    expect(growth((index) => 100 + (index % 2))).to.be.closeTo(0, 10);
  });

  it('is the slope per million messages for rising values, ignoring the warm-up', () => {
    expect(growth((index) => (index < 20 ? 0 : 500) + 3 * index)).to.be.closeTo(3_000, 1);
  });

  it('cannot be measured from a few samples', () => {
    expect(() => growthOf(samples(() => 1).slice(0, 5), ({ rss }) => rss)).to.throw(RangeError);
  });
});
