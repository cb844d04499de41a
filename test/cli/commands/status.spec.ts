import { expect } from 'chai';
import { columnsFor } from '../../../src/cli/commands/status.ts';
import { formatTable } from '../../../src/cli/terminal.ts';

describe('the output of sqs-queues status', () => {
  it('leaves out empty columns on a terminal, but not for programs', () => {
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
