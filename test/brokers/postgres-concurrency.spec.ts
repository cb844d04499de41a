import { expect } from 'chai';
import type { Broker, Message, Queue } from '../../src/brokers/broker.ts';
import { openPostgres } from '../../src/brokers/sql/postgres/open.ts';
import { freshName } from '../../src/contract/broker-under-test.ts';
import { bodies, makeVisible, receiveNow, send } from '../../src/contract/operations.ts';
import { postgres } from '../support/servers/postgres.ts';

describe('several brokers on one Postgres database', () => {
  let brokers: Broker[];

  before(async function () {
    const address = postgres.addressInEnvironment();
    if (!address) return this.skip();
    brokers = await Promise.all(Array.from({ length: 4 }, () => openPostgres(address)));
  });

  after(() => Promise.all((brokers ?? []).map((broker) => broker.close())));

  async function open(name: string): Promise<Queue[]> {
    await brokers[0]!.create(name, { visibilityTimeout: 60 });
    return Promise.all(brokers.map((broker) => broker.open(name)));
  }

  const inGroup = (groupId: string, body: string) => ({ body, groupId, deduplicationId: body });

  /** Receives and deletes until all consumers together have received `total` messages. */
  async function consume(queues: readonly Queue[], total: number): Promise<Message[]> {
    const received: Message[] = [];
    await Promise.all(
      queues.map(async (queue) => {
        while (received.length < total) {
          const messages = await queue.receive({ max: 10, waitSeconds: 0.2 });
          received.push(...messages);
          if (messages.length === 0) continue;
          await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
        }
      }),
    );
    return received;
  }

  it('deliver each message to exactly one of many consumers', async () => {
    const queues = await open(freshName());
    const all = Array.from({ length: 1_000 }, (_, index) => String(index).padStart(4, '0'));
    for (let start = 0; start < all.length; start += 10)
      await send(queues[0]!, ...all.slice(start, start + 10));
    const received = await consume([...queues, ...queues], all.length);
    expect(bodies(received).sort()).to.deep.equal(all);
  });

  it('keep the order within groups, and lose no group, while groups come and go', async () => {
    const queues = await open(freshName('.fifo'));
    const rounds = 25;
    // Each sender has its own groups, and groups repeatedly become empty while more messages are sent to them.
    const sending = queues.map(async (queue, sender) => {
      for (let round = 0; round < rounds; round += 1) {
        const groups = ['b', 'a', 'c'].map((group) => `${group}${sender}`);
        await send(queue, ...groups.map((group) => inGroup(group, `${group}/${round}`)));
      }
    });
    const consuming = consume([...queues, ...queues], queues.length * rounds * 3);
    await Promise.all(sending);
    const received = await consuming;
    const ofGroups = Map.groupBy(received, ({ groupId }) => groupId);
    expect(ofGroups.size).to.equal(12);
    for (const [group, messages] of ofGroups) {
      expect(bodies(messages)).to.deep.equal(
        Array.from({ length: rounds }, (_, round) => `${group}/${round}`),
      );
    }
  });

  it('never deadlock, whatever the order of the groups in a request', async () => {
    const queues = await open(freshName('.fifo'));
    const groups = Array.from({ length: 10 }, (_, index) => `g${index}`);
    const startedAt = performance.now();
    await Promise.all(
      [...queues, ...queues].map(async (queue, sender) => {
        for (let round = 0; round < 10; round += 1) {
          const shuffled = groups.toSorted(() => Math.random() - 0.5);
          await send(queue, ...shuffled.map((group) => inGroup(group, `${group}/${sender}/${round}`)));
        }
      }),
    );
    // The server detects a deadlock after a second.
    expect(performance.now() - startedAt).to.be.below(3_000);
    expect(await queues[0]!.counts()).to.include({ visible: 800 });
  });

  it('send a message once when all send it at the same time with the same deduplication id', async () => {
    const queues = await open(freshName('.fifo'));
    for (let round = 0; round < 10; round += 1) {
      const results = await Promise.all(
        [...queues, ...queues].map((queue, index) =>
          queue.send([{ body: 'x', groupId: `g${index}`, deduplicationId: `d${round}` }]),
        ),
      );
      for (const [result] of results) expect(result).to.deep.equal(results[0]![0]);
    }
    expect(await queues[0]!.counts()).to.include({ visible: 10 });
  });

  it('see a group that another broker unblocks while they check', async () => {
    const [sender, consumer] = await open(freshName('.fifo'));
    for (let round = 0; round < 20; round += 1) {
      await send(sender!, inGroup('g', `${round}`));
      const [message] = await receiveNow(consumer!, 1);
      const next = sender!.receive({ max: 1, waitSeconds: 5 });
      // At the same time, the last message in the group is deleted and another one is sent.
      await Promise.all([
        consumer!.delete([message!.receiptHandle]),
        send(sender!, inGroup('g', `${round}, too`)),
      ]);
      const [second] = await next;
      expect(second!.body).to.equal(`${round}, too`);
      await sender!.delete([second!.receiptHandle]);
    }
  });

  it('wake long polls of other brokers immediately: on a send, a returned message, and an unblocked group', async () => {
    const [one, other] = await open(freshName());
    const [ordered, otherOrdered] = await open(freshName('.fifo'));
    const delays: number[] = [];
    const expectToWake = async (queue: Queue, wake: () => Promise<unknown>) => {
      const polling = queue.receive({ max: 10, waitSeconds: 5 }).then(() => performance.now());
      await new Promise((resolve) => setTimeout(resolve, 100));
      await wake();
      const at = performance.now();
      delays.push((await polling) - at);
    };
    for (let round = 0; round < 3; round += 1) await expectToWake(other!, () => send(one!, 'x'));
    await send(one!, 'y');
    const [message] = await receiveNow(one!);
    for (let round = 0; round < 3; round += 1) {
      await expectToWake(other!, () => send(one!, 'z'));
    }
    await expectToWake(other!, () => makeVisible(one!, message!));
    await send(ordered!, inGroup('g', 'first'), inGroup('g', 'second'));
    const [first] = await receiveNow(ordered!, 1);
    await expectToWake(otherOrdered!, () => ordered!.delete([first!.receiptHandle]));
    expect(Math.max(...delays), `milliseconds: ${delays}`).to.be.below(400);
  });
});
