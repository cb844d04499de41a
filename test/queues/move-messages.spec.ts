import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { moveMessages } from '../../src/queues/move-messages.ts';
import { rejection } from '../support/rejection.ts';

describe('moving messages', () => {
  let broker: MemoryBroker;
  let dead: Queue;
  let jobs: Queue;
  beforeEach(async () => {
    broker = new MemoryBroker();
    dead = await broker.open('dead');
    jobs = await broker.open('jobs');
    for (let number = 0; number < 95; number += 1) await dead.send([{ body: `message ${number}` }]);
  });

  const isEven = ({ body }: { body: string }) => Number(body.split(' ')[1]) % 2 === 0;

  async function visible(): Promise<number[]> {
    const counts = await Promise.all([dead.counts(), jobs.counts()]);
    expect(counts.map(({ inFlight }) => inFlight)).to.deep.equal([0, 0]);
    return counts.map((count) => count.visible);
  }

  it('moves all messages and reports its progress', async () => {
    const looked: number[] = [];
    const report = await moveMessages(broker, dead, jobs, { onProgress: (so) => looked.push(so.looked) });
    expect(report).to.deep.equal({ total: 95, looked: 95, moved: 95, failed: [] });
    expect(looked).to.have.length(11);
    expect([looked[0], looked.at(-1)]).to.deep.equal([0, 95]);
    expect(await visible()).to.deep.equal([0, 95]);
  });

  it('moves matching messages, checks each once, and returns the others', async () => {
    expect(await moveMessages(broker, dead, jobs, { matches: isEven })).to.include({ looked: 95, moved: 48 });
    expect(await visible()).to.deep.equal([47, 48]);
    expect((await jobs.inspect!.peek!(100)).every(isEven)).to.equal(true);
    expect((await dead.inspect!.peek!(100)).map(({ receiveCount }) => receiveCount)).to.deep.equal(
      Array(47).fill(1),
    );
  });

  it('moves at most the limit of matching messages', async () => {
    expect(await moveMessages(broker, dead, jobs, { matches: isEven, limit: 7 })).to.include({ moved: 7 });
    expect(await visible()).to.deep.equal([88, 7]);
  });

  it('only counts messages in a dry run, without receiving them if the queue can peek', async () => {
    const options = { matches: isEven, isDryRun: true };
    expect(await moveMessages(broker, dead, jobs, options)).to.include({ looked: 95, moved: 48 });
    expect(await visible()).to.deep.equal([95, 0]);
    expect((await dead.inspect!.peek!(1))[0]).to.have.property('receiveCount', 0);
  });

  it('returns the messages that it has to receive in a dry run', async () => {
    const blind = Object.defineProperty(dead, 'peek', { value: undefined });
    expect(await moveMessages(broker, blind, jobs, { isDryRun: true, limit: 5 })).to.include({ moved: 5 });
    expect(await visible()).to.deep.equal([95, 0]);
  });

  it('deletes no message that the other queue has not accepted', async () => {
    jobs.send = async () => {
      throw new BrokerError('unreachable', 'nobody there');
    };
    expect((await rejection(moveMessages(broker, dead, jobs))).message).to.equal('nobody there');
    expect(await dead.counts()).to.deep.equal({ visible: 95, inFlight: 0, delayed: 0 });
  });

  it('reports a message that is in both queues because it could not be deleted', async () => {
    dead.delete = async (handles) =>
      handles.map(() => ({ ok: false, code: 'InternalError', message: 'later', retryable: true }));
    const { moved, failed } = await moveMessages(broker, dead, jobs, { limit: 1 });
    expect(moved).to.equal(1);
    expect(failed[0]?.error.message).to.match(
      /^The message \S+ was copied but could not be deleted from its queue: InternalError/,
    );
  });

  it('stops early when its signal aborts, leaving no messages in flight', async () => {
    const controller = new AbortController();
    const report = await moveMessages(broker, dead, jobs, {
      signal: controller.signal,
      onProgress: ({ looked }) => {
        if (looked > 0) controller.abort();
      },
    });
    expect(report.moved).to.be.within(10, 40);
    expect(await visible()).to.deep.equal([95 - report.moved, report.moved]);
  });

  it('does not move messages that arrive meanwhile', async () => {
    const send = jobs.send.bind(jobs);
    jobs.send = async (messages) => {
      await dead.send(messages);
      return send(messages);
    };
    expect(await moveMessages(broker, dead, jobs)).to.include({ moved: 95 });
    expect(await visible()).to.deep.equal([95, 95]);
  });

  it('keeps groups and their order on FIFO queues, and reports messages behind a message that stays', async () => {
    const [from, to] = [await broker.open('dead.fifo'), await broker.open('jobs.fifo')];
    for (const body of ['a1', 'b1', 'a2', 'b2', 'a3']) {
      await from.send([{ body, groupId: body.slice(0, 1), deduplicationId: body }]);
    }
    // Like SQS emulators, it delivers only the first message of each group at a time.
    const receive = from.receive.bind(from);
    from.receive = (options) => receive({ ...options, max: 1 });
    const matches = ({ body }: { body: string }) => body !== 'a2';
    const report = await moveMessages(broker, from, to, { matches });
    expect(report).to.include({ total: 5, looked: 4, moved: 3 });
    expect((await to.inspect.peek(10)).map(({ body, groupId }) => body + groupId)).to.have.members([
      'a1a',
      'b1b',
      'b2b',
    ]);
    expect((await from.inspect.peek(10)).map(({ body }) => body)).to.deep.equal(['a2', 'a3']);
  });
});
