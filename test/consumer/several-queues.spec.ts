import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError, QueueNotFoundError } from '../../src/brokers/errors.ts';
import { type FaultyQueue, sleep } from '../support/faulty-queue.ts';
import {
  bodiesOf,
  faultyQueue,
  openConsumer,
  running,
  runningOnSeveral,
  type Share,
  sendTo,
  settled,
} from './running.ts';

/** How many of `bodies` start with the letter of a queue. */
const count = (bodies: readonly string[], letter: string) =>
  bodies.filter((body) => body.startsWith(letter)).length;

describe('several queues', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  const urgentAndBulk = (messages: number, receiveMs = 10): [Share, Share] => [
    { name: 'urgent', weight: 3, bodies: bodiesOf('u', messages), receiveMs },
    { name: 'bulk', weight: 1, bodies: bodiesOf('b', messages), receiveMs },
  ];

  describe('share the slots by weight', () => {
    for (const [speed, milliseconds] of [
      ['fast', 2],
      ['slow', 5_000],
    ] as const) {
      for (const slots of [1, 10]) {
        it(`3:1 with ${slots} slots and ${speed} workers`, async () => {
          let turn = 0;
          const { started } = await runningOnSeveral(
            urgentAndBulk(1_000, 20),
            () => {
              turn += 1;
              return sleep(milliseconds * (0.5 + ((turn * 7) % 11) / 10));
            },
            { concurrency: slots },
          );
          await clock.tickAsync(100 + (600 * milliseconds) / slots);
          const later = started.slice(100);
          expect(later.length).to.be.greaterThan(300);
          expect(count(later, 'u') / later.length).to.be.within(0.7, 0.8);
        });
      }
    }

    it('exactly, in turns, with one slot', async () => {
      const { started } = await runningOnSeveral(urgentAndBulk(100), () => sleep(100));
      await clock.tickAsync(8_050);
      for (let from = 8; from + 4 <= started.length; from += 4) {
        expect(count(started.slice(from, from + 4), 'b'), String(from)).to.equal(1);
      }
    });

    it('and an idle one leaves its share to the others', async () => {
      const [urgent, bulk] = urgentAndBulk(200);
      const { started } = await runningOnSeveral([{ ...urgent, bodies: [] }, bulk], () => sleep(100), {
        concurrency: 4,
      });
      await clock.tickAsync(4_090);
      expect(started.length).to.be.within(156, 164);
    });

    it('and one that was idle does not catch up', async () => {
      const [urgent, bulk] = urgentAndBulk(1_000);
      const { started, queues } = await runningOnSeveral([{ ...urgent, bodies: [] }, bulk], () => sleep(100));
      await clock.tickAsync(30_000);
      const before = started.length;
      await sendTo(queues[0]!, bodiesOf('u', 1_000));
      await clock.tickAsync(10_000);
      const since = started.slice(before, before + 60);
      expect(count(since, 'u')).to.be.within(42, 49);
    });

    it('nor does one whose only message was running all the time', async () => {
      const [urgent, bulk] = urgentAndBulk(2_000);
      const { started, queues } = await runningOnSeveral(
        [{ ...urgent, bodies: ['u0'] }, bulk],
        ({ body }) => sleep(body === 'u0' ? 60_000 : 60 + ((Number(body.slice(1)) * 37) % 80)),
        { concurrency: 2 },
      );
      await clock.tickAsync(60_100);
      const before = started.length;
      await sendTo(queues[0]!, bodiesOf('u', 500).slice(1));
      await clock.tickAsync(10_000);
      const since = started.slice(before, before + 100);
      expect(count(since, 'u')).to.be.within(65, 85);
    });
  });

  it('do not starve each other, with one slot and slow workers', async () => {
    const { started } = await runningOnSeveral(
      [
        { name: 'urgent', weight: 100, bodies: bodiesOf('u', 300) },
        { name: 'bulk', weight: 1, bodies: bodiesOf('b', 300) },
        { name: 'more', weight: 1, bodies: bodiesOf('m', 300) },
      ],
      () => sleep(10_000),
    );
    await clock.tickAsync(250 * 10_000);
    expect(count(started, 'b')).to.be.at.least(2);
    expect(count(started, 'm')).to.be.at.least(2);
  });

  it('hold next to nothing for slow workers', async () => {
    const { queues } = await runningOnSeveral(urgentAndBulk(100), () => sleep(600_000), { concurrency: 8 });
    await clock.tickAsync(60_000);
    const counts = await Promise.all(queues.map((queue) => queue.counts()));
    const held = counts.reduce((sum, { inFlight }) => sum + inFlight, 0);
    expect(held).to.be.within(8, 12);
  });

  it('poll an idle one as rarely as if it were alone', async () => {
    const alone = await running(() => {});
    await clock.tickAsync(3_600_000);
    const { queues } = await runningOnSeveral(
      [{ name: 'idle' }, { name: 'busy', bodies: bodiesOf('b', 4_000) }],
      () => sleep(1_000),
    );
    const before = alone.queue.callsOf('receive').length;
    await clock.tickAsync(3_600_000);
    expect(queues[0]!.callsOf('receive').length).to.be.at.most(before + 1);
  });

  it('immediately start a message from an idle one if a slot is free', async () => {
    const { queues, started } = await runningOnSeveral([{ name: 'idle' }, { name: 'other' }], () => {});
    await clock.tickAsync(50_000);
    await sendTo(queues[0]!, ['i']);
    await settled();
    expect(started).to.deep.equal(['i']);
  });

  it('end after the message limit in total, and return the messages held beyond it', async () => {
    const { run, started, queues } = await runningOnSeveral(urgentAndBulk(20), () => sleep(10), {
      concurrency: 3,
      messageLimit: 7,
    });
    await clock.tickAsync(30_000);
    await run;
    expect(started).to.have.length(7);
    for (const queue of queues) expect((await queue.counts()).inFlight).to.equal(0);
    const left = await Promise.all(queues.map((queue) => queue.counts()));
    expect(left.reduce((sum, { visible }) => sum + visible, 0)).to.equal(33);
  });

  it('request no more than the limit leaves after the messages held from the others', async () => {
    const [first, later] = [
      await faultyQueue('first', bodiesOf('f', 10)),
      await faultyQueue('later', bodiesOf('l', 10)),
    ];
    later.faults.receive.push({ error: new BrokerError('unreachable', 'down') });
    const weighted = [first, later].map((queue) => ({ queue, weight: 1 }));
    const worker = { handleMessage: () => sleep(1_000) };
    const consumer = await openConsumer(weighted, worker, { messageLimit: 7, prefetch: 10 });
    const run = consumer.run();
    await clock.tickAsync(20_000);
    await run;
    expect(await first.counts()).to.deep.equal({ visible: 3, inFlight: 0, delayed: 0 });
    expect(later.callsOf('receive')).to.have.length(1);
  });

  it('end when all have been idle, not just one', async () => {
    const { run } = await runningOnSeveral(
      [{ name: 'idle' }, { name: 'busy', bodies: bodiesOf('b', 100) }],
      () => sleep(1_000),
      { idleExit: 10 },
    );
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    await clock.tickAsync(105_000);
    expect(ended).to.equal(false);
    await clock.tickAsync(30_000);
    expect(ended).to.equal(true);
  });

  for (const [what, error] of [
    ['is deleted', new QueueNotFoundError('broken', 'memory:')],
    ['is denied', new BrokerError('denied', 'not allowed')],
  ] as const) {
    it(`continue if one ${what}, and report which`, async () => {
      const receiveFailed = sinon.spy();
      const { queues, started, consumer, run } = await runningOnSeveral(
        [{ name: 'broken' }, { name: 'sound', bodies: bodiesOf('s', 1_000) }],
        () => sleep(100),
        {},
        { receiveFailed },
      );
      queues[0]!.always.receive = { error };
      await clock.tickAsync(60_000);
      expect(started.length).to.be.within(595, 601);
      expect(new Set(receiveFailed.args.map(([queue]) => queue.name))).to.deep.equal(new Set(['broken']));
      expect(receiveFailed.callCount).to.be.at.most(30);

      delete queues[0]!.always.receive;
      await sendTo(queues[0]!, ['b']);
      await clock.tickAsync(12_000);
      expect(started).to.include('b');
      consumer.stop();
      await clock.tickAsync(5_000);
      await run;
    });
  }

  it('get all the slots while the receives of another one fail', async () => {
    const { queues, started } = await runningOnSeveral(
      [{ name: 'broken' }, { name: 'sound', bodies: bodiesOf('s', 1_000) }],
      () => sleep(1_000),
      { concurrency: 8 },
    );
    queues[0]!.always.receive = { error: new BrokerError('unreachable', 'down') };
    await clock.tickAsync(10_000);
    const startedBefore = started.length;
    await clock.tickAsync(20_000);
    expect(started.length - startedBefore).to.equal(8 * 20);
  });

  it('receive as much as one alone while the receives of another one fail', async () => {
    const sound = { name: 'sound', bodies: bodiesOf('s', 4_000), receiveMs: 100 };
    const startedIn20Seconds = async (shares: readonly Share[]) => {
      const { queues, started } = await runningOnSeveral(shares, () => sleep(50), { concurrency: 8 });
      const broken = queues.find(({ name }) => name === 'broken');
      if (broken) broken.always.receive = { error: new BrokerError('unreachable', 'down') };
      await clock.tickAsync(10_000);
      const startedBefore = started.length;
      await clock.tickAsync(20_000);
      return started.length - startedBefore;
    };
    const alone = await startedIn20Seconds([sound]);
    expect(await startedIn20Seconds([{ name: 'broken', weight: 9 }, sound])).to.be.at.least(0.98 * alone);
  });

  it('are not idle while the receives of one fail', async () => {
    const { queues, consumer } = await runningOnSeveral([{ name: 'quiet' }, { name: 'broken' }], () => {}, {
      idleExit: 10,
      poll: 1,
    });
    queues[1]!.always.receive = { error: new BrokerError('unreachable', 'down') };
    await clock.tickAsync(60_000);
    expect(consumer.state).to.equal('running');
    queues[1]!.heal();
    await clock.tickAsync(40_000);
    expect(consumer.idle).to.equal(true);
  });

  it('are paused, resumed and woken together', async () => {
    const { queues, consumer, started } = await runningOnSeveral(
      [{ name: 'first' }, { name: 'second' }],
      () => {},
      { idlePause: 600 },
    );
    for (const queue of queues) queue.abortsReceives = true;
    await clock.tickAsync(50);
    consumer.pause();
    await settled();
    const [first, second] = queues as [FaultyQueue, FaultyQueue];
    await sendTo(first, ['f0']);
    await sendTo(second, ['s0']);
    await clock.tickAsync(600_000);
    expect(started).to.deep.equal([]);
    consumer.resume();
    await settled();
    expect([...started].sort()).to.deep.equal(['f0', 's0']);

    // Both now pause after many empty receives.
    await clock.tickAsync(7_200_000);
    await sendTo(first, ['f1']);
    await sendTo(second, ['s1']);
    const callsBefore = queues.map((queue) => queue.callsOf('receive').length);
    consumer.wake();
    await settled();
    for (const [index, queue] of queues.entries()) {
      expect(queue.callsOf('receive').length).to.be.above(callsBefore[index]!);
    }
    expect([...started].sort()).to.deep.equal(['f0', 'f1', 's0', 's1']);
  });

  it("return the messages of each one's last poll", async () => {
    const { queues, consumer, run, started } = await runningOnSeveral(
      [{ name: 'first' }, { name: 'second' }],
      () => {},
    );
    await clock.tickAsync(1_000);
    consumer.stop();
    for (const queue of queues) await sendTo(queue, ['late']);
    await clock.tickAsync(5_000);
    expect(await run).to.include({ held: 2, returned: 2, mayRunAgain: 0 });
    expect(started).to.deep.equal([]);
    for (const queue of queues) {
      expect(await queue.counts()).to.deep.equal({ visible: 1, inFlight: 0, delayed: 0 });
    }
  });

  it('settle in parallel during a drain: each gets the full ten seconds', async () => {
    const { queues, consumer, run } = await runningOnSeveral(
      [
        { name: 'hangs', bodies: ['h'] },
        { name: 'hangs-too', bodies: ['t'] },
        { name: 'works', bodies: ['w'] },
      ],
      () => {},
      { concurrency: 3, settleDelay: 60_000 },
    );
    for (const queue of queues) queue.abortsReceives = true;
    for (const queue of queues.slice(0, 2)) queue.always.delete = { milliseconds: 3_600_000 };
    await clock.tickAsync(1_000);
    consumer.stop();
    const ended = sinon.spy();
    void run.then(ended);
    await clock.tickAsync(11_000);
    expect(ended.args[0]?.[0]).to.include({ held: 3, confirmed: 1, mayRunAgain: 2 });
    expect(await queues[2]!.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('drain together: unstarted messages return to their own queue, handled ones are deleted from theirs', async () => {
    const { queues, started, consumer, run } = await runningOnSeveral(urgentAndBulk(20), () => sleep(2_000), {
      concurrency: 2,
    });
    await clock.tickAsync(7_000);
    consumer.stop();
    await clock.tickAsync(10_000);
    const report = await run;
    expect([report.finished, report.unfinished, report.mayRunAgain]).to.deep.equal([2, 0, 0]);
    for (const [index, letter] of ['u', 'b'].entries()) {
      const left = 20 - count(started, letter);
      expect(await queues[index]!.counts()).to.deep.equal({ visible: left, inFlight: 0, delayed: 0 });
    }
  });

  it('can be FIFO and standard at the same time, each in its own order', async () => {
    const bodies = ['a0', 'b0', 'a1', 'b1', 'a2', 'b2'];
    let failed = false;
    const runs = new Set<string>();
    const { started, queues } = await runningOnSeveral(
      [
        { name: 'ordered.fifo', bodies },
        { name: 'standard', bodies: bodiesOf('s', 30) },
      ],
      async ({ body, groupId }) => {
        if (groupId) expect(runs.has(groupId), body).to.equal(false);
        if (groupId) runs.add(groupId);
        await sleep(50);
        if (groupId) runs.delete(groupId);
        if (body !== 'a1' || failed) return;
        failed = true;
        throw new Error('once');
      },
      { concurrency: 6, onError: 'retry', backoff: () => 2 },
    );
    await clock.tickAsync(20_000);
    expect(started.filter((body) => body.startsWith('a'))).to.deep.equal(['a0', 'a1', 'a1', 'a2']);
    expect(started.filter((body) => body.startsWith('b'))).to.deep.equal(['b0', 'b1', 'b2']);
    expect(count(started, 's')).to.equal(30);
    for (const queue of queues)
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });
});
