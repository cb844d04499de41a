import { expect } from 'chai';
import { planFaults } from '../../chaos/plan.ts';

const KILL = { name: 'SIGKILL', everySeconds: 4, seconds: [0, 0] } as const;
const CUT = { name: 'cut', everySeconds: 6, seconds: [1, 2] } as const;

describe('the plan of a chaos run', () => {
  it('is determined by the seed', () => {
    const plan = planFaults(1, 600, [KILL, CUT]);
    expect(planFaults(1, 600, [KILL, CUT])).to.deep.equal(plan);
    expect(planFaults(2, 600, [KILL, CUT])).not.to.deep.equal(plan);
  });

  it('has each kind with its frequency, within the run, and without overlap', () => {
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

  it('keeps the times of a kind when another kind is added', () => {
    const kills = planFaults(1, 60, [KILL, CUT]).filter(({ kind }) => kind === 'SIGKILL');
    expect(kills).to.deep.equal(planFaults(1, 60, [KILL]));
  });
});
