import { expect } from 'chai';
import { aheadAt, bendClock, elapsed } from '../../chaos/clock.ts';
import { planFaults } from '../../chaos/plan.ts';
import { growthOf, type Sample } from '../../chaos/samples.ts';

const KILL = { name: 'SIGKILL', everySeconds: 4, seconds: [0, 0] } as const;
const CUT = { name: 'cut', everySeconds: 6, seconds: [1, 2] } as const;

describe('the plan of a run of chaos', () => {
  it('follows from the seed', () => {
    const plan = planFaults(1, 600, [KILL, CUT]);
    expect(planFaults(1, 600, [KILL, CUT])).to.deep.equal(plan);
    expect(planFaults(2, 600, [KILL, CUT])).not.to.deep.equal(plan);
  });

  it('has each kind as often as it should, within the time of the run, and one at a time', () => {
    const plan = planFaults(1, 6_000, [KILL, CUT]);
    expect(plan.map(({ at }) => at)).to.deep.equal(plan.map(({ at }) => at).sort((a, b) => a - b));
    expect(plan.at(-1)!.at).to.be.within(5_900_000, 6_000_000);
    expect(plan.filter(({ kind }) => kind === 'SIGKILL').length).to.be.within(1_350, 1_650);
    const cuts = plan.filter(({ kind }) => kind === 'cut');
    expect(cuts.length).to.be.within(680, 920);
    for (const [index, { at, milliseconds }] of cuts.entries()) {
      expect(milliseconds).to.be.within(1_000, 2_000);
      expect(at + milliseconds).to.be.below(cuts[index + 1]?.at ?? Number.POSITIVE_INFINITY);
    }
  });

  it('keeps the times of a kind when another one is added', () => {
    const kills = planFaults(1, 60, [KILL, CUT]).filter(({ kind }) => kind === 'SIGKILL');
    expect(kills).to.deep.equal(planFaults(1, 60, [KILL]));
  });
});

describe('the clock in a run of chaos', () => {
  const jumps = [
    { at: 10, aheadMs: 5 },
    { at: 20, aheadMs: -1 },
  ];

  it('is as far ahead as the last jump says', () => {
    expect([9, 10, 19, 20].map((at) => aheadAt(jumps, at))).to.deep.equal([0, 5, 5, -1]);
  });

  it('is what Date goes by, and nothing else', () => {
    const straighten = bendClock([{ at: elapsed() - 1, aheadMs: 3_600_000 }]);
    const [ahead, made, parsed] = [Date.now(), new Date(), new Date(0)];
    straighten();
    expect(ahead - Date.now()).to.be.within(3_599_000, 3_601_000);
    expect(made.getTime() - ahead).to.be.within(0, 1_000);
    expect(made).to.be.an.instanceOf(Date);
    expect(parsed.getTime()).to.equal(0);
  });
});

describe('the growth of a process', () => {
  const samples = (rssOf: (index: number) => number): Sample[] =>
    Array.from({ length: 100 }, (_, index) => ({
      messages: (index + 1) * 1_000,
      rss: rssOf(index),
      heapUsed: 0,
      handles: 0,
    }));
  const growth = (rssOf: (index: number) => number) => growthOf(samples(rssOf), ({ rss }) => rss).growth;

  it('is none of what goes up and down', () => {
    expect(growth((index) => 100 + (index % 2))).to.be.closeTo(0, 10);
  });

  it('is the slope for a million messages of what goes up, however it began', () => {
    expect(growth((index) => (index < 20 ? 0 : 500) + 3 * index)).to.be.closeTo(3_000, 1);
  });

  it('cannot be told from a few samples', () => {
    expect(() => growthOf(samples(() => 1).slice(0, 5), ({ rss }) => rss)).to.throw(RangeError);
  });
});
