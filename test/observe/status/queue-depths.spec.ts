import { expect } from 'chai';
import sinon from 'sinon';
import type { Queue } from '../../../src/brokers/broker.ts';
import { MemoryBroker } from '../../../src/brokers/memory/broker.ts';
import { QueueDepths } from '../../../src/observe/status/queue-depths.ts';

describe('the message counts of the queues', () => {
  let clock: sinon.SinonFakeTimers;
  let queue: Queue;
  let asked: number;
  beforeEach(async () => {
    clock = sinon.useFakeTimers();
    queue = await new MemoryBroker().open('work');
    asked = 0;
    const counts = queue.counts.bind(queue);
    queue.counts = () => {
      asked += 1;
      return counts();
    };
  });
  afterEach(() => clock.restore());

  it('are requested at most every five seconds, and only when needed', async () => {
    const depths = new QueueDepths(async () => [queue]);
    await clock.tickAsync(60_000);
    expect([asked, depths.known]).to.deep.equal([0, {}]);
    for (let second = 0; second < 11; second += 1) {
      await depths.look();
      await clock.tickAsync(1_000);
    }
    expect(asked).to.equal(3);
    expect(depths.known).to.deep.equal({ work: { visible: 0, inFlight: 0, delayed: 0 } });
  });

  it('are not shown when they are old', async () => {
    const depths = new QueueDepths(async () => [queue]);
    await depths.look();
    await clock.tickAsync(30_000);
    expect(depths.known).to.deep.equal({});
  });

  it('do not delay a response for long if the broker does not answer', async () => {
    queue.counts = () => new Promise(() => {});
    const depths = new QueueDepths(async () => [queue]);
    const looked = depths.look();
    await clock.tickAsync(1_500);
    await looked;
    expect(depths.known).to.deep.equal({});
  });

  it('report the problem until it is solved', async () => {
    let works = false;
    const depths = new QueueDepths(async () => {
      if (!works) throw new Error('no connection');
      return [queue];
    });
    await depths.look();
    expect(depths.problem).to.equal('no connection');
    works = true;
    await clock.tickAsync(5_000);
    await depths.look();
    expect(depths.problem).to.equal(undefined);
    expect(depths.known).to.have.property('work');
  });
});
