import { expect } from 'chai';
import type { PeekedMessage } from '../../src/brokers/broker.ts';
import { describeCounts } from '../../src/cli/commands/clear.ts';
import { describeMessage } from '../../src/cli/commands/peek.ts';
import { describeMove } from '../../src/cli/commands/redrive.ts';
import { columnsFor } from '../../src/cli/commands/status.ts';
import { formatRate } from '../../src/cli/progress.ts';
import { formatTable, isYes } from '../../src/cli/terminal.ts';
import { countOf, formatSeconds, rate } from '../../src/cli/values.ts';

describe('what sqs-queues says', () => {
  it('of times, rates and counts is short', () => {
    const times = [0, 0.4, 59.6, 61, 3_600, 90_061].map(formatSeconds);
    expect(times).to.deep.equal(['0 s', '0 s', '1 min', '1 min 1 s', '1 h', '1 d 1 h']);
    expect([0.456, 9.96, 1234.5].map(formatRate)).to.deep.equal(['0.5', '10.0', '1235']);
    expect([0, 1, 1200].map((count) => countOf(count, 'message'))).to.deep.equal([
      '0 messages',
      '1 message',
      '1,200 messages',
    ]);
    expect(describeCounts({ visible: 1, inFlight: 2, delayed: 0 })).to.equal(
      '3 messages, 2 of them in flight',
    );
  });

  it('takes rates by the second up to the month', () => {
    const rates = ['50/s', '60/min', '7200/h', '86400/day', '2.628e6/month'].map((text) =>
      rate('rate', text),
    );
    expect(rates).to.deep.equal([50, 1, 2, 1, 1]);
  });

  it('takes a yes for a yes, and nothing else', () => {
    expect(['y', 'Y', 'yes', ' YES '].every(isYes)).to.equal(true);
    expect(['', 'n', 'no', 'yep', 'j'].some(isYes)).to.equal(false);
  });

  const message: PeekedMessage = {
    id: 'id-1',
    body: 'x'.repeat(30),
    sentAt: Date.UTC(2026, 0, 1),
    receiveCount: 1,
    groupId: 'customer 7',
    attributes: {
      kind: { dataType: 'String', stringValue: 'two\nlines' },
      bytes: { dataType: 'Binary', binaryValue: new Uint8Array(3) },
    },
  };

  it('of a message is all that there is, on lines of its own', () => {
    const now = Date.UTC(2026, 0, 1, 0, 1, 30);
    expect(describeMessage(message, now, 40).split('\n')).to.deep.equal([
      'id-1  sent 2026-01-01T00:00:00.000Z, 1 min 30 s ago  received once  group customer 7',
      '  kind: "two\\nlines"',
      '  bytes: 3 bytes of binary data',
      `  ${'x'.repeat(30)}`,
    ]);
    expect(describeMessage(message, now, 10)).to.match(/ {2}x{10}… \(30 characters; --json shows all\)$/);
  });

  it('of a move tells what could not be looked at, unless a limit was meant', () => {
    const names = { from: 'dead', to: 'jobs' };
    const report = { total: 1_500, looked: 1_400, moved: 10, failed: [], isByBroker: false };
    const what = { isDryRun: false };
    expect(describeMove(report, what, names)).to.equal(
      'Moved 10 of 1,500 messages of dead to jobs; 100 messages could not be looked at',
    );
    expect(describeMove(report, { isDryRun: true, limit: 10 }, names)).to.equal(
      '10 of 1,500 messages of dead would be moved to jobs',
    );
  });

  it('of the status has columns for people only where something is known, and for programs always', () => {
    const row = { queue: 'jobs', visible: 1, inFlight: 0, delayed: 0 };
    const heads = (isTerminal: boolean) => columnsFor([row], 0, isTerminal).map(({ head }) => head);
    expect(heads(true)).to.deep.equal(['queue', 'visible', 'in flight', 'delayed']);
    expect(heads(false)).to.have.length(6);
    const full = { ...row, oldestSentAt: 0, deadLetters: { queue: 'dead', messages: 2 } };
    expect(formatTable([full, row], columnsFor([full, row], 120_000, true), false)).to.equal(
      'queue\tvisible\tin flight\tdelayed\toldest\tdead letters\njobs\t1\t0\t0\t2 min\t2 in dead\njobs\t1\t0\t0\t\t',
    );
  });
});
