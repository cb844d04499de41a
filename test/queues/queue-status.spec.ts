import { expect } from 'chai';
import { BrokerError, QueueNotFoundError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { queueStatus } from '../../src/queues/queue-status.ts';
import { rejection } from '../support/rejection.ts';

const EMPTY = { visible: 0, inFlight: 0, delayed: 0 };

describe('the status of queues', () => {
  let broker: MemoryBroker;
  beforeEach(async () => {
    broker = new MemoryBroker();
    await broker.create('dead');
    await broker.create('jobs', { deadLetterQueue: { name: 'dead', maxReceives: 3 } });
    await (await broker.open('dead')).send([{ body: 'a' }, { body: 'b', delaySeconds: 60 }]);
  });

  it('includes the dead letters of a queue, in any state', async () => {
    const [dead, jobs] = await queueStatus(broker, []);
    expect(jobs).to.deep.equal({ queue: 'jobs', ...EMPTY, deadLetters: { queue: 'dead', messages: 2 } });
    expect(dead).to.include({ queue: 'dead', visible: 1, delayed: 1 }).and.not.have.property('deadLetters');
  });

  it('includes when the oldest message was sent', async () => {
    const [dead] = await queueStatus(broker, ['dead']);
    expect(dead?.oldestSentAt).to.be.closeTo(Date.now(), 5_000);
  });

  it('prefers the dead-letter queue of the ini file, even if it does not exist yet', async () => {
    const configured = { queues: ['jobs'], deadLetterQueue: 'failed' };
    expect(await queueStatus(broker, ['jobs', 'failed'], configured)).to.deep.equal([
      { queue: 'jobs', ...EMPTY, deadLetters: { queue: 'failed', messages: 0 } },
      { queue: 'failed', ...EMPTY },
    ]);
  });

  it('leaves out a dead-letter queue that is missing or denied, but not one that does not respond', async () => {
    await broker.remove('dead');
    expect(await queueStatus(broker, ['jobs'])).to.deep.equal([{ queue: 'jobs', ...EMPTY }]);
    await broker.create('dead');
    const open = broker.open.bind(broker);
    let kind: 'denied' | 'unreachable' = 'denied';
    broker.open = async (name) => {
      if (name === 'dead') throw new BrokerError(kind, 'no');
      return open(name);
    };
    expect(await queueStatus(broker, ['jobs'])).to.deep.equal([{ queue: 'jobs', ...EMPTY }]);
    kind = 'unreachable';
    expect((await rejection(queueStatus(broker, ['jobs']))).message).to.equal('no');
  });

  it('creates no queue', async () => {
    const error = await rejection(queueStatus(broker, ['missing'], { queues: ['later'] }));
    expect(error).to.be.instanceOf(QueueNotFoundError);
    expect(await queueStatus(broker, ['later'], { queues: ['later'] })).to.deep.equal([
      { queue: 'later', ...EMPTY },
    ]);
    expect(await broker.list()).to.deep.equal(['dead', 'jobs']);
  });
});
