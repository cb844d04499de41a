import { expect } from 'chai';
import { type Incident, STARVED } from '../../chaos/history.ts';
import type { LedgerLine } from '../../chaos/ledger.ts';
import type { SentMessage } from '../../chaos/producer.ts';
import { type Evidence, isGood, judge } from '../../chaos/verdict.ts';

const VISIBILITY_TIMEOUT = 4;

/** Parses a short line such as `start 1 by 100 at 5000`: the message, the process, the time in milliseconds. */
function line(text: string): LedgerLine {
  const [event, number, , pid, , at] = text.split(' ');
  return {
    event: event as LedgerLine['event'],
    number: Number(number),
    id: `id-${number}`,
    receiveCount: 1,
    pid: Number(pid),
    at: Number(at),
  };
}

function sent(number: number, more: Partial<SentMessage> = {}): SentMessage {
  return { number, queue: 'orders', group: undefined, acknowledged: true, at: 0, ...more };
}

function verdict(messages: readonly SentMessage[], lines: readonly string[], more: Partial<Evidence> = {}) {
  return judge({
    sent: messages,
    ledger: lines.map(line),
    incidents: [],
    visibilityTimeout: VISIBILITY_TIMEOUT,
    sharedLock: false,
    ...more,
  });
}

const at = (what: string, from: number, to = from, pid?: number): Incident => ({ what, from, to, pid });

describe('the verdict on a chaos run', () => {
  it('is good if every acknowledged message was handled', () => {
    const result = verdict([sent(1)], ['start 1 by 100 at 0', 'end 1 by 100 at 5']);
    expect(result).to.include({ acknowledged: 1, handled: 1 });
    expect(isGood(result)).to.equal(true);
  });

  it('counts messages as lost if they were acknowledged and never started', () => {
    const result = verdict([sent(1)], []);
    expect(result.lost).to.deep.equal([1]);
    expect(isGood(result)).to.equal(false);
  });

  it('does not miss messages that may not have been sent', () => {
    expect(isGood(verdict([sent(1, { acknowledged: false })], []))).to.equal(true);
  });

  it('distinguishes messages deleted unhandled from lost messages', () => {
    for (const lines of [['start 1 by 100 at 0'], ['start 1 by 100 at 0', 'fail 1 by 100 at 5']]) {
      const result = verdict([sent(1)], lines);
      expect(result).to.deep.include({ lost: [], deletedUnhandled: [1] });
      expect(isGood(result)).to.equal(false);
    }
  });

  describe('on the order of a group', () => {
    const inGroup = (number: number, acknowledged = true) => sent(number, { group: 'a', acknowledged });

    it('rejects a message that starts before the previous message was handled', () => {
      const lines = ['start 1 by 100 at 0', 'start 2 by 200 at 1', 'end 1 by 100 at 5', 'end 2 by 200 at 6'];
      const result = verdict([inGroup(1), inGroup(2)], lines);
      expect(result.orderViolations).to.deep.equal([{ number: 2, before: 1 }]);
      expect(isGood(result)).to.equal(false);
    });

    it('rejects a message that starts while the previous message waits for a retry', () => {
      const lines = [
        'start 1 by 100 at 0',
        'fail 1 by 100 at 1',
        'start 2 by 100 at 2',
        'end 2 by 100 at 3',
        'start 1 by 100 at 4',
        'end 1 by 100 at 5',
      ];
      expect(verdict([inGroup(1), inGroup(2)], lines).orderViolations).to.deep.equal([
        { number: 2, before: 1 },
      ]);
    });

    it('accepts messages of other groups, and messages that may not have been sent', () => {
      const lines = ['start 2 by 100 at 0', 'end 2 by 100 at 1', 'start 1 by 100 at 2', 'end 1 by 100 at 3'];
      for (const first of [sent(1, { group: 'b' }), inGroup(1, false)]) {
        expect(verdict([first, inGroup(2)], lines).orderViolations).to.deep.equal([]);
      }
    });

    it('accepts a repeat of a handled message', () => {
      const lines = [
        'start 1 by 100 at 0',
        'end 1 by 100 at 1',
        'start 2 by 100 at 2',
        'start 1 by 200 at 3',
        'end 1 by 200 at 4',
        'end 2 by 100 at 5',
      ];
      expect(verdict([inGroup(1), inGroup(2)], lines).orderViolations).to.deep.equal([]);
    });
  });

  describe('on repeats', () => {
    const again = [
      'start 1 by 100 at 10000',
      'end 1 by 100 at 10005',
      'start 1 by 200 at 14000',
      'end 1 by 200 at 14005',
    ];
    const causeOf = (incidents: readonly Incident[], sharedLock = false) =>
      verdict([sent(1)], again, { incidents, sharedLock }).repeats.map(({ cause }) => cause?.what);

    it('is bad if a repeat is unexplained', () => {
      const result = verdict([sent(1)], again);
      expect(result.repeats).to.have.length(1);
      expect(isGood(result)).to.equal(false);
    });

    it('does not count a retry after a failure as a repeat', () => {
      const lines = ['start 1 by 100 at 0', 'fail 1 by 100 at 1', 'start 1 by 200 at 2', 'end 1 by 200 at 3'];
      expect(verdict([sent(1)], lines).repeats).to.deep.equal([]);
    });

    it('explains a repeat by the kill of its process before the delete was confirmed', () => {
      expect(causeOf([at('SIGKILL', 10_500, 10_500, 100)])).to.deep.equal(['SIGKILL']);
      expect(causeOf([at('SIGKILL', 12_000, 12_000, 100)])).to.deep.equal([undefined]);
      expect(causeOf([at('SIGKILL', 10_500, 10_500, 300)])).to.deep.equal([undefined]);
    });

    it('explains a repeat by a stop of either process, or of any process if they share a lock', () => {
      expect(causeOf([at('SIGSTOP', 10_001, 15_000, 100)])).to.deep.equal(['SIGSTOP']);
      expect(causeOf([at('SIGSTOP', 8_000, 13_900, 200)])).to.deep.equal(['SIGSTOP']);
      expect(causeOf([at('SIGSTOP', 10_001, 15_000, 300)])).to.deep.equal([undefined]);
      expect(causeOf([at('SIGSTOP', 10_001, 15_000, 300)], true)).to.deep.equal(['SIGSTOP']);
    });

    it('explains a repeat by the starvation of either process', () => {
      expect(causeOf([at(STARVED, 10_001, 13_000, 100)])).to.deep.equal([STARVED]);
      expect(causeOf([at(STARVED, 10_001, 13_000, 300)])).to.deep.equal([undefined]);
    });

    it('explains a repeat by a broker fault only while the message was held', () => {
      expect(causeOf([at('reset', 9_000, 12_000)])).to.deep.equal(['reset']);
      expect(causeOf([at('reset', 1_000, 5_000)])).to.deep.equal([undefined]);
      expect(causeOf([at('reset', 14_001, 15_000)])).to.deep.equal([undefined]);
    });

    it('prefers incidents of the process to incidents of the broker', () => {
      const incidents = [at('reset', 9_000, 12_000), at('SIGKILL', 10_500, 10_500, 100)];
      expect(causeOf(incidents)).to.deep.equal(['SIGKILL']);
    });
  });
});
