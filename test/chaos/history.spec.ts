import { expect } from 'chai';
import sinon from 'sinon';
import { History, STARVED } from '../../chaos/history.ts';

describe('the history of a chaos run', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('records a clock jump at the time of the jump, even if it is reported later', () => {
    const history = new History();
    clock.tick(5_000);
    history.clockJumped('jump', history.startedAt + 4_000, true);
    const [jump] = history.incidents;
    expect([jump!.from - history.startedAt, jump!.to - history.startedAt]).to.deep.equal([4_000, 4_000]);
    expect(history.notes.map(({ at }) => at - history.startedAt)).to.deep.equal([4_000]);
  });

  it('records the starvation of processes, unless they were stopped at that time', () => {
    const history = new History();
    history.incidents.push({ what: 'SIGSTOP', from: 1_000, to: 3_000, pid: 100 });
    const [proxy, other] = [999, 200];
    history.starved(
      [
        { pid: 100, from: 990, to: 3_010 },
        { pid: 100, from: 4_000, to: 5_000 },
        { pid: other, from: 1_000, to: 2_000 },
        { pid: proxy, from: 1_000, to: 2_000 },
      ],
      proxy,
    );
    expect(history.incidents.slice(1)).to.deep.equal([
      { what: STARVED, from: 4_000, to: 5_000, pid: 100 },
      { what: STARVED, from: 1_000, to: 2_000, pid: other },
      { what: STARVED, from: 1_000, to: 2_000, pid: undefined },
    ]);
  });

  it('records no incident for a clock that the broker does not use', () => {
    const history = new History();
    history.clockJumped('jump', history.startedAt, false);
    expect([history.incidents.length, history.notes.length]).to.deep.equal([0, 1]);
  });
});
