import { expect } from 'chai';
import sinon from 'sinon';
import { History } from '../../chaos/history.ts';

describe('the history of a run of chaos', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('has a jump of the clock at the moment at which clocks jump, however late that is told', () => {
    const history = new History();
    clock.tick(5_000);
    history.clockJumped('jump', history.startedAt + 4_000, true);
    const [jump] = history.incidents;
    expect([jump!.from - history.startedAt, jump!.to - history.startedAt]).to.deep.equal([4_000, 4_000]);
    expect(history.notes.map(({ at }) => at - history.startedAt)).to.deep.equal([4_000]);
  });

  it('has no incident of a clock by which the place does not go', () => {
    const history = new History();
    history.clockJumped('jump', history.startedAt, false);
    expect([history.incidents.length, history.notes.length]).to.deep.equal([0, 1]);
  });
});
