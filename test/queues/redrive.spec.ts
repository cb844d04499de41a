import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import type { MoveProgress, PeekedMessage, Queue, QueueInspection } from '../../src/brokers/broker.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { replaceBrokers } from '../../src/producer/connections.ts';
import { followMove, messageTest, redrive, redriveQueue, redriveTargets } from '../../src/queues/redrive.ts';
import { rejection } from '../support/rejection.ts';

describe('redrive()', () => {
  let broker: MemoryBroker;
  beforeEach(() => {
    broker = new MemoryBroker();
    replaceBrokers(broker);
  });
  afterEach(() => replaceBrokers(undefined));

  async function fill(name: string, bodies: readonly string[]): Promise<void> {
    const queue = await broker.open(name);
    for (const body of bodies) {
      const attributes = { JobName: { dataType: 'String', stringValue: 'mail' } };
      const group = queue.fifo ? { groupId: body.slice(0, 1), deduplicationId: body } : {};
      await queue.send([{ body, attributes, ...group }]);
    }
  }

  async function contents(name: string): Promise<string[]> {
    const messages = [];
    const queue = await broker.open(name);
    for (;;) {
      const some = await queue.receive({ max: 10, waitSeconds: 0 });
      if (some.length === 0) return messages;
      messages.push(...some.map(({ body, attributes }) => `${body} ${attributes.JobName?.stringValue}`));
    }
  }

  it('moves every message with its attributes', async () => {
    const bodies = Array.from({ length: 25 }, (_, index) => String(index));
    await fill('mails-dead', bodies);
    expect(await redrive('mails-dead', 'mails')).to.equal(25);
    expect(await contents('mails')).to.deep.equal(bodies.map((body) => `${body} mail`));
    expect((await (await broker.open('mails-dead')).counts()).inFlight).to.equal(0);
  });

  it('keeps groups and their order on FIFO queues', async () => {
    await fill('dead.fifo', ['a1', 'b1', 'a2', 'b2']);
    expect(await redrive('dead.fifo', 'mails.fifo')).to.equal(4);
    const [first, ...others] = await (await broker.open('mails.fifo')).receive({ max: 10, waitSeconds: 0 });
    expect(first?.groupId).to.equal('a');
    expect(
      [first, ...others].map((message) => message?.body).filter((body) => body?.startsWith('b')),
    ).to.deep.equal(['b1', 'b2']);
  });

  it('resets the receive count of each message, so that it does not come straight back', async () => {
    await broker.create('mails-dead', {});
    await broker.create('mails', {
      visibilityTimeout: 0,
      deadLetterQueue: { name: 'mails-dead', maxReceives: 2 },
    });
    await fill('mails', ['1']);
    const mails = await broker.open('mails');
    const counts: number[] = [];
    for (let receive = 0; receive < 6; receive += 1) {
      const [message] = await mails.receive({ max: 1, waitSeconds: 0 });
      if (message) counts.push(message.receiveCount);
      else expect(await redrive('mails-dead', 'mails')).to.equal(1);
    }
    expect(counts).to.deep.equal([1, 2, 1, 2]);
  });

  it('does nothing with an empty queue', async () => {
    expect(await redrive('mails-dead', 'mails')).to.equal(0);
  });

  it('leaves messages that the other queue refuses and moves the rest', async () => {
    await fill('mails-dead', ['1', '2']);
    const mails = await broker.open('mails');
    const send = mails.send.bind(mails);
    mails.send = async (messages) => {
      const results = await send(messages.filter(({ body }) => body !== '1'));
      return messages.map(({ body }) =>
        body === '1'
          ? { ok: false, code: 'InvalidMessageContents', message: 'no', retryable: false }
          : results.shift()!,
      );
    };
    const error = await rejection(redrive('mails-dead', 'mails'));
    expect(error.message).to.contain('InvalidMessageContents');
    expect(await broker.find('mails-dead')?.counts()).to.include({ inFlight: 0, visible: 1 });
    expect(await contents('mails')).to.deep.equal(['2 mail']);
  });
});

describe('the messages that a redrive moves', () => {
  const message: PeekedMessage = {
    id: '1',
    body: 'a timeout of 5 s',
    receiveCount: 3,
    sentAt: 40_000,
    attributes: { JobName: { dataType: 'String', stringValue: 'mail' } },
  };
  const isWanted = (filter: Parameters<typeof messageTest>[0]) => messageTest(filter, 100_000)?.(message);

  it('are all messages without a filter', () => {
    expect(messageTest({}, 0)).to.equal(undefined);
  });

  it('are those that match every condition', () => {
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

describe('the target of a redrive', () => {
  let broker: MemoryBroker;
  beforeEach(async () => {
    broker = new MemoryBroker();
    await broker.create('dead');
    for (const name of ['jobs', 'mails']) {
      await broker.create(name, { deadLetterQueue: { name: 'dead', maxReceives: 3 } });
    }
  });

  it('comes from the user, otherwise from the ini file, otherwise from the broker', async () => {
    const dead = await broker.open('dead');
    const handled = ['worker'];
    expect(await redriveTargets(dead, { to: 'x', handled, deadLetterQueue: 'dead' })).to.deep.equal(['x']);
    expect(await redriveTargets(dead, { handled, deadLetterQueue: 'dead' })).to.deep.equal(['worker']);
    expect(await redriveTargets(dead, { handled, deadLetterQueue: 'other' })).to.deep.equal([
      'jobs',
      'mails',
    ]);
    expect(await redriveTargets(await broker.open('jobs'), { handled: [] })).to.deep.equal([]);
  });

  it('is unknown if the broker does not tell', async () => {
    const dead = await broker.open('dead');
    dead.inspect.deadLetterSources = async () => {
      throw new BrokerError('rejected', 'Unknown action');
    };
    expect(await redriveTargets(dead, { handled: [] })).to.deep.equal([]);
    dead.inspect.deadLetterSources = async () => {
      throw new BrokerError('unreachable', 'nobody there');
    };
    expect((await rejection(redriveTargets(dead, { handled: [] }))).message).to.equal('nobody there');
  });
});

describe('redriving a dead-letter queue', () => {
  let broker: MemoryBroker;
  let dead: Queue;
  beforeEach(async () => {
    broker = new MemoryBroker();
    [dead] = [await broker.open('dead'), await broker.open('jobs'), await broker.open('mails')];
    for (const body of ['a timeout', 'a mistake']) await dead.send([{ body }]);
  });

  const { signal } = new AbortController();

  /** A broker that moves messages itself, and records the requested targets. */
  function withMoves(): (string | undefined)[] {
    const targets: (string | undefined)[] = [];
    const done = { moved: 2, isOver: true, isCancelled: false };
    const inspect: QueueInspection = dead.inspect!;
    inspect.startMove = async (target) => {
      targets.push(target);
      return { progress: async () => done, cancel: async () => {} };
    };
    return targets;
  }

  it('lets the broker move all messages if it can, even to several queues', async () => {
    const targets = withMoves();
    const byBroker = { moved: 2, total: 2, looked: 2, failed: [], isByBroker: true, isCancelled: false };
    expect(await redriveQueue(broker, dead, ['jobs'], { signal })).to.deep.equal({ ...byBroker, to: 'jobs' });
    expect(await redriveQueue(broker, dead, ['jobs', 'mails'], { signal })).to.deep.equal({
      ...byBroker,
      to: undefined,
    });
    expect(targets).to.deep.equal(['jobs', undefined]);
  });

  it('moves messages one by one if only some are wanted', async () => {
    const targets = withMoves();
    const filter = { text: 'timeout' };
    const report = await redriveQueue(broker, dead, ['jobs'], { signal, filter });
    expect(report).to.include({ moved: 1, total: 2, looked: 2, isByBroker: false, to: 'jobs' });
    expect(await redriveQueue(broker, dead, ['jobs'], { signal, isDryRun: true })).to.include({ moved: 1 });
    expect(await redriveQueue(broker, dead, ['jobs'], { signal, limit: 5 })).to.include({ moved: 1 });
    expect(targets).to.deep.equal([]);
  });

  it('refuses an unknown or ambiguous target', async () => {
    const none = await rejection(redriveQueue(broker, dead, [], { signal }));
    expect(none.message).to.equal('Cannot tell which queue the messages in dead belong to');
    const two = await rejection(redriveQueue(broker, dead, ['jobs', 'mails'], { signal }));
    expect(two.message).to.equal('The messages in dead belong to several queues (jobs, mails)');
    expect(await dead.counts()).to.include({ visible: 2 });
  });
});

describe('a move by the broker', () => {
  let clock: SinonFakeTimers;
  beforeEach(() => {
    clock = useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    expect(clock.countTimers()).to.equal(0);
    clock.restore();
  });

  const at = (moved: number, more: Partial<MoveProgress> = {}): MoveProgress => ({
    moved,
    total: 3,
    isOver: false,
    isCancelled: false,
    ...more,
  });

  it('is polled every second until it is over', async () => {
    const looks = [at(0), at(2), at(3, { isOver: true })];
    const seen: number[] = [];
    const move = { progress: async () => looks.shift()!, cancel: async () => expect.fail('cancelled') };
    const following = followMove(move, new AbortController().signal, ({ moved }) => seen.push(moved));
    await clock.tickAsync(1_999);
    expect(seen).to.deep.equal([0, 2]);
    await clock.tickAsync(1);
    expect(await following).to.include({ moved: 3, isOver: true });
  });

  it('is canceled once, immediately, by the signal, and followed until it is over', async () => {
    let cancels = 0;
    const controller = new AbortController();
    const looks = [at(0), at(1), at(1), at(1, { isOver: true, isCancelled: true })];
    const cancel = async () => {
      cancels += 1;
    };
    const following = followMove(
      { progress: async () => looks.shift()!, cancel },
      controller.signal,
      () => {},
    );
    await clock.tickAsync(10);
    controller.abort();
    await clock.tickAsync(0);
    expect(cancels).to.equal(1);
    await clock.tickAsync(2_000);
    expect(await following).to.include({ moved: 1, isCancelled: true });
    expect(cancels).to.equal(1);
  });
});
