import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { groupVisibleAt } from '../../src/brokers/sql/groups.ts';
import { openSqlite } from '../../src/brokers/sql/sqlite/open.ts';
import { freshFifoQueue } from '../../src/contract/broker-under-test.ts';
import { bodies, receiveAll, receiveNow, receiveOne, send } from '../../src/contract/operations.ts';

describe('a queue of the sqlite broker', () => {
  let folder: string;
  let broker: Broker;
  let isOpen: boolean;
  let clock: SinonFakeTimers | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-queue-'));
    broker = await openSqlite(join(folder, 'queues.db'));
    isOpen = true;
    clock = undefined;
  });

  afterEach(async () => {
    clock?.restore();
    if (isOpen) await broker.close();
    await rm(folder, { recursive: true });
  });

  /** Changes the machine's clock, but not its timers. */
  function passSeconds(seconds: number): void {
    clock ??= useFakeTimers({ now: Date.now(), toFake: ['Date'] });
    clock.setSystemTime(Date.now() + seconds * 1000);
  }

  async function close(): Promise<void> {
    isOpen = false;
    await broker.close();
  }

  it('resolves pending receives when the broker is closed, and leaves no timer or watcher', async () => {
    const queue = await broker.open('q');
    const before = resources();
    const polling = Array.from({ length: 3 }, () => queue.receive({ max: 10, waitSeconds: 20 }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(resources()).to.have.length.above(before.length);
    await close();
    expect(await Promise.all(polling)).to.deep.equal([[], [], []]);
    // A watcher is gone one turn of the event loop after it was closed.
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(resources()).to.deep.equal(before);
  });

  it('waits for calls in progress when the broker is closed', async () => {
    const queue = await broker.open('q');
    const calls = Promise.all([
      send(queue, 'a', 'b'),
      queue.receive({ max: 1, waitSeconds: 20 }),
      queue.counts(),
      queue.receive({ max: 1, waitSeconds: 20 }),
    ]);
    await close();
    const [sent, ...answers] = await calls;
    expect(sent).to.have.length(2);
    expect(answers).to.have.length(3);
  });

  it('keeps messages forever, or for its retention period', async () => {
    await broker.create('short', { retentionSeconds: 60 });
    for (const name of ['short', 'long']) {
      const queue = await broker.open(name);
      await send(queue, 'old');
      await send(queue, { body: 'delayed', delaySeconds: 30 });
    }
    passSeconds(59);
    for (const name of ['short', 'long']) {
      expect(bodies(await receiveNow(await broker.open(name), 10, 0))).to.deep.equal(['old', 'delayed']);
      await send(await broker.open(name), 'new');
    }
    passSeconds(1);
    expect(bodies(await receiveAll(await broker.open('short')))).to.deep.equal(['new']);
    expect(bodies(await receiveAll(await broker.open('long'))).sort()).to.deep.equal([
      'delayed',
      'new',
      'old',
    ]);
    expect(await (await broker.open('short')).counts()).to.include({ visible: 0, inFlight: 1 });
  });

  it('forgets deduplication ids after five minutes', async () => {
    const queue = await freshFifoQueue({ broker, advance: async () => {} });
    const message = { body: 'x', groupId: 'g', deduplicationId: 'd' };
    const [first] = await send(queue, message);
    passSeconds(299);
    expect(await send(queue, message)).to.deep.equal([first]);
    passSeconds(1);
    const [second] = await send(queue, message);
    expect(second?.messageId).not.to.equal(first?.messageId);
    expect(await send(queue, message)).to.deep.equal([second]);
    expect(await receiveNow(queue)).to.have.length(2);
  });

  it('delivers the messages that have waited the longest first, whatever the order of sending', async () => {
    const queue = await broker.open('q');
    await send(queue, { body: 'third', delaySeconds: 20 }, { body: 'second', delaySeconds: 10 }, 'first');
    passSeconds(30);
    await send(queue, 'last');
    expect(bodies(await receiveAll(queue))).to.deep.equal(['first', 'second', 'third', 'last']);
  });

  it('delivers the group that has waited the longest first on a FIFO queue, and leaves no group behind', async () => {
    const queue = await freshFifoQueue({ broker, advance: async () => {} });
    const inGroup = (groupId: string, body: string) => ({ body, groupId, deduplicationId: body });
    await send(queue, inGroup('z', 'z1'), inGroup('z', 'z2'));
    passSeconds(1);
    await send(queue, inGroup('a', 'a1'));
    expect(bodies(await receiveNow(queue, 1, 10))).to.deep.equal(['z1']);
    expect(bodies(await receiveNow(queue, 1, 10))).to.deep.equal(['a1']);
    passSeconds(5);
    await send(queue, inGroup('m', 'm1'));
    passSeconds(5);
    const messages = await receiveNow(queue);
    expect(bodies(messages)).to.deep.equal(['m1', 'z1', 'z2', 'a1']);
    await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
    await send(queue, inGroup('z', 'z3'));
    expect((await receiveOne(queue)).body).to.equal('z3');
  });

  it('purges many messages, but not those that are sent in the meantime', async () => {
    for (const queue of [await broker.open('q'), await freshFifoQueue({ broker, advance: async () => {} })]) {
      await sendNumbers(queue, 2_500);
      const purging = queue.purge();
      await new Promise((resolve) => setImmediate(resolve));
      await send(queue, { body: 'meanwhile', groupId: 'g0', deduplicationId: 'meanwhile' });
      await purging;
      expect(bodies(await receiveAll(queue))).to.deep.equal(['meanwhile']);
    }
  });
});

describe('groupVisibleAt', () => {
  const now = 20;

  it('is when the last message in flight becomes visible again', () => {
    const first = [
      { visible_at: 50, receipt: 'a' },
      { visible_at: 70, receipt: 'b' },
      { visible_at: 10, receipt: null },
    ];
    expect(groupVisibleAt(first, now)).to.equal(70);
  });

  it('is when the first message becomes visible if none is in flight', () => {
    expect(
      groupVisibleAt(
        [
          { visible_at: 10, receipt: 'a' },
          { visible_at: 70, receipt: null },
        ],
        now,
      ),
    ).to.equal(10);
    expect(
      groupVisibleAt(
        [
          { visible_at: 70, receipt: null },
          { visible_at: 10, receipt: null },
        ],
        now,
      ),
    ).to.equal(70);
  });

  it('is undefined without messages', () => {
    expect(groupVisibleAt([], now)).to.equal(undefined);
  });
});

async function sendNumbers(queue: Queue, count: number): Promise<void> {
  for (let number = 0; number < count; number += 10) {
    const numbers = Array.from({ length: 10 }, (_, index) => number + index);
    await send(
      queue,
      ...numbers.map((one) => ({ body: `${one}`, groupId: `g${one % 7}`, deduplicationId: `${one}` })),
    );
  }
}

function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((resource) => resource === 'Timeout' || resource === 'FSEventWrap')
    .sort();
}
