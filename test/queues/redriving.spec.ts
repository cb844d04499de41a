import { expect } from 'chai';
import type { PeekedMessage } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { matcher, targetsOf } from '../../src/queues/redriving.ts';
import { rejection } from '../support/rejection.ts';

describe('which messages a redrive moves', () => {
  const message: PeekedMessage = {
    id: '1',
    body: 'a timeout of 5 s',
    receiveCount: 3,
    sentAt: 40_000,
    attributes: { JobName: { dataType: 'String', stringValue: 'mail' } },
  };
  const isWanted = (filter: Parameters<typeof matcher>[0]) => matcher(filter, 100_000)?.(message);

  it('are all of them without a filter', () => {
    expect(matcher({}, 0)).to.equal(undefined);
  });

  it('are those that fit everything that is given', () => {
    expect(isWanted({ text: 'timeout' })).to.equal(true);
    expect(isWanted({ text: 'Timeout' })).to.equal(false);
    expect(isWanted({ attributes: [['JobName', 'mail']] })).to.equal(true);
    expect(isWanted({ attributes: [['JobName', 'mails']] })).to.equal(false);
    expect(isWanted({ attributes: [['Other', 'mail']] })).to.equal(false);
    expect(isWanted({ olderThan: 60 })).to.equal(true);
    expect(isWanted({ olderThan: 61 })).to.equal(false);
    expect(isWanted({ text: 'timeout', olderThan: 61 })).to.equal(false);
  });
});

describe('where a redrive moves messages to', () => {
  let broker: MemoryBroker;
  beforeEach(async () => {
    broker = new MemoryBroker();
    await broker.create('dead');
    for (const name of ['jobs', 'mails']) {
      await broker.create(name, { deadLetterQueue: { name: 'dead', maxReceives: 3 } });
    }
  });

  it('is what the user says, else what the ini file says, else what the broker knows', async () => {
    const dead = await broker.open('dead');
    const handled = ['worker'];
    expect(await targetsOf(dead, { to: 'x', handled, deadLetterQueue: 'dead' })).to.deep.equal(['x']);
    expect(await targetsOf(dead, { handled, deadLetterQueue: 'dead' })).to.deep.equal(['worker']);
    expect(await targetsOf(dead, { handled, deadLetterQueue: 'other' })).to.deep.equal(['jobs', 'mails']);
    expect(await targetsOf(await broker.open('jobs'), { handled: [] })).to.deep.equal([]);
  });

  it('is unknown where the broker does not tell', async () => {
    const dead = await broker.open('dead');
    dead.deadLetterSources = async () => {
      throw new BrokerError('rejected', 'Unknown action');
    };
    expect(await targetsOf(dead, { handled: [] })).to.deep.equal([]);
    dead.deadLetterSources = async () => {
      throw new BrokerError('unreachable', 'nobody there');
    };
    expect((await rejection(targetsOf(dead, { handled: [] }))).message).to.equal('nobody there');
  });
});
