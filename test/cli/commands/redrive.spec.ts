import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../../src/brokers/errors.ts';
import { MemoryBroker } from '../../../src/brokers/memory/broker.ts';
import { CommandContext } from '../../../src/cli/command.ts';
import { describeMove, redriveDeadLetters } from '../../../src/cli/commands/redrive.ts';
import { rejection } from '../../support/rejection.ts';

describe('a redrive that fails halfway', () => {
  afterEach(() => sinon.restore());

  it('reports how many messages it has moved', async () => {
    const broker = new MemoryBroker();
    const [dead, jobs] = [await broker.open('dead'), await broker.open('jobs')];
    for (let number = 0; number < 95; number += 1) await dead.send([{ body: `message ${number}` }]);
    const receive = dead.receive.bind(dead);
    let requests = 0;
    const failing = Object.assign(dead, {
      receive: async (wanted: Parameters<typeof receive>[0]) => {
        requests += 1;
        if (requests > 5) throw new BrokerError('unreachable', 'away');
        return receive(wanted);
      },
    });
    sinon.stub(broker, 'open').callsFake(async (name) => (name === 'dead' ? failing : jobs));
    const context = await CommandContext.of({ config: undefined, broker: undefined, json: false });
    sinon.stub(context, 'broker').resolves(broker);
    const printed = sinon.stub(process.stdout, 'write').returns(true);
    const given = { queue: 'dead', to: 'jobs', filter: {}, isDryRun: false };
    const error = await rejection(redriveDeadLetters(given, context));
    const text = printed.args.map(([written]) => String(written)).join('');
    sinon.restore();
    expect(error).to.have.property('message', 'away');
    expect(text).to.equal('Moved 50 of 95 messages from dead to jobs; 45 messages could not be checked\n');
  });
});

describe('the output of sqs-queues redrive', () => {
  it('reports how many messages could not be checked, unless the limit was reached', () => {
    const names = { from: 'dead', to: 'jobs' };
    const report = { total: 1_500, looked: 1_400, moved: 10, failed: [], isByBroker: false };
    const what = { isDryRun: false };
    expect(describeMove(report, what, names)).to.equal(
      'Moved 10 of 1,500 messages from dead to jobs; 100 messages could not be checked',
    );
    expect(describeMove(report, { isDryRun: true, limit: 10 }, names)).to.equal(
      'Would move 10 of 1,500 messages from dead to jobs',
    );
  });
});
