import { expect } from 'chai';
import * as fc from 'fast-check';
import { fairShare, SharedMessageLimit } from '../../src/supervisor/shared-message-limit.ts';

describe('a message limit that processes share', () => {
  it('gives a process half of an equal part, but at least as many as it handles at once', () => {
    expect(fairShare(600, 4, 10)).to.equal(75);
    expect(fairShare(20, 2, 10)).to.equal(10);
    expect(fairShare(10, 1, 10)).to.equal(10);
    expect(fairShare(1_000_000, 4, 10)).to.equal(100);
    expect(fairShare(1_000_000, 4, 500)).to.equal(500);
  });

  it('gives a limit of 1 to one of four processes, and to another if that one exits before finishing the message', () => {
    const shares = new SharedMessageLimit<string>({ limit: 1, processes: 4, concurrency: 10 });
    expect(['a', 'b', 'c', 'd'].map((name) => shares.grant(name))).to.deep.equal([1, 0, 0, 0]);
    shares.ended('a');
    expect(shares.grant('c')).to.equal(1);
    expect(shares.allDone).to.equal(false);
    shares.done('c');
    expect(shares.allDone).to.equal(true);
    shares.ended('c');
    expect(shares.grant('b')).to.equal(0);
  });

  it('spreads a few messages over the processes', () => {
    const shares = new SharedMessageLimit<string>({ limit: 4, processes: 4, concurrency: 10 });
    expect(['a', 'b', 'c', 'd'].map((name) => shares.grant(name))).to.deep.equal([1, 1, 1, 1]);
  });

  it('always ends at exactly the limit, whatever the processes do and whenever they exit', () => {
    const step = fc.record({ process: fc.nat(3), ends: fc.integer({ min: 0, max: 9 }).map((n) => n === 0) });
    void fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 200 }),
        (limit, concurrency, steps) => {
          const shares = new SharedMessageLimit<number>({ limit, processes: 4, concurrency });
          const may = [0, 0, 0, 0];
          let done = 0;
          const turn = (process: number, ends: boolean) => {
            may[process]! += shares.grant(process);
            if (ends) {
              shares.ended(process);
              may[process] = 0;
            } else if (may[process]! > 0) {
              may[process]! -= 1;
              shares.done(process);
              done += 1;
            }
            expect(done + may.reduce((sum, some) => sum + some, 0)).to.be.at.most(limit);
            expect(shares.allDone).to.equal(done === limit);
          };
          for (const { process, ends } of steps) turn(process, ends);
          for (let round = 0; round <= limit; round += 1)
            for (const process of may.keys()) turn(process, false);
          expect(done).to.equal(limit);
        },
      ),
    );
  });
});
