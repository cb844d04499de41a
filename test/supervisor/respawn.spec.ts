import { expect } from 'chai';
import { describeEnd, describePause, RespawnBackoff, respawnPause } from '../../src/supervisor/respawn.ts';

describe('restarting a process', () => {
  it('does not wait at first, then waits 1 s, 2 s, 4 s and so on, up to a minute', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2_000].map((runs) => respawnPause(runs, () => 0.5));
    expect(pauses).to.deep.equal([0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('adds up to 10% jitter to the pauses', () => {
    expect(respawnPause(3, () => 0)).to.equal(1_800);
    expect(respawnPause(3, () => 1)).to.equal(2_200);
  });

  it('starts over after a run of a minute', () => {
    const backoff = new RespawnBackoff(Math.random);
    const pauses = [10, 10, 59_999, 60_000, 10, 10].map((ranMs) => backoff.next(ranMs));
    const rounded = pauses.map((pause) => Math.round(pause / 1_000));
    expect(rounded).to.deep.equal([0, 1, 2, 0, 0, 1]);
  });

  it('describes how a process ended, and when the next one starts', () => {
    expect(describeEnd({ code: 1, signal: null })).to.equal('exit code 1');
    expect(describeEnd({ code: null, signal: 'SIGKILL' })).to.equal('killed by SIGKILL');
    expect(describeEnd({ error: new Error('spawn EAGAIN') })).to.equal('could not be started: spawn EAGAIN');
    expect(describePause(0)).to.equal('immediately');
    expect(describePause(2_049)).to.equal('in 2.0 s');
  });
});
