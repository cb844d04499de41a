import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import type { MemoryQueue } from '../../src/brokers/memory/queue.ts';
import { SendError } from '../../src/producer/send-results.ts';
import { ConcurrencyLimiter, Sender } from '../../src/producer/sender.ts';
import { rejection } from '../support/rejection.ts';

describe('a sender', () => {
  let broker: MemoryBroker;
  let queue: MemoryQueue;
  let sender: Sender;
  let requests: sinon.SinonSpy<Parameters<MemoryQueue['send']>, ReturnType<MemoryQueue['send']>>;

  beforeEach(() => use('jobs'));

  afterEach(async () => {
    sinon.restore();
    await broker.close();
  });

  /** Creates the queue and a sender for it. */
  async function use(name: string, options = {}): Promise<void> {
    broker = new MemoryBroker();
    await broker.create(name, options);
    queue = await broker.open(name);
    requests = sinon.spy(queue, 'send');
    sender = new Sender(broker, queue);
  }

  /** How many messages each request had. */
  function requestSizes(): number[] {
    return requests.args.map(([messages]) => messages.length);
  }

  function sendAll(bodies: readonly string[]): Promise<{ messageId: string }[]> {
    return Promise.all(bodies.map((body) => sender.send({ body })));
  }

  async function receivedBodies(): Promise<string[]> {
    const messages = await queue.receive({ max: 10, waitSeconds: 0 });
    return messages.map(({ body }) => body);
  }

  describe('shares requests', () => {
    it('of ten among messages sent together, and gives each its own result', async () => {
      const bodies = Array.from({ length: 25 }, (_, index) => `body ${index}`);
      const sent = await sendAll(bodies);
      expect(requestSizes()).to.deep.equal([10, 10, 5]);
      expect(new Set(sent.map(({ messageId }) => messageId))).to.have.property('size', 25);
      const [first] = await queue.receive({ max: 1, waitSeconds: 0 });
      expect(sent[bodies.indexOf(first?.body ?? '')]?.messageId).to.equal(first?.id);
    });

    it('but not among messages sent one after another', async () => {
      await sender.send({ body: 'a' });
      await sender.send({ body: 'b' });
      expect(requestSizes()).to.deep.equal([1, 1]);
    });

    it("within the broker's size limit", async () => {
      const third = 'x'.repeat(Math.floor(queue.limits.maxRequestBytes / 3));
      await sendAll([third, third, third, third, 'small']);
      expect(requestSizes()).to.deep.equal([3, 2]);
    });

    it('with at most twenty in progress at once', async () => {
      let underWay = 0;
      let most = 0;
      requests.restore();
      sinon.stub(queue, 'send').callsFake(async (messages) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return messages.map(() => ({ ok: true, messageId: 'id' }));
      });
      expect(await sendAll(new Array(1000).fill('body'))).to.have.length(1000);
      expect(most).to.equal(20);
    });
  });

  describe('when something fails', () => {
    it('rejects only the refused message, with the message and the code', async () => {
      const bad = { body: 'half of a pair: \ud800' };
      const [good, refused, alsoGood] = await Promise.allSettled([
        sender.send({ body: 'good' }),
        sender.send(bad),
        sender.send({ body: 'also good' }),
      ]);
      expect(requestSizes()).to.deep.equal([3]);
      expect([good.status, alsoGood.status]).to.deep.equal(['fulfilled', 'fulfilled']);
      const error = (refused as PromiseRejectedResult).reason as SendError;
      expect(error).to.be.instanceOf(SendError);
      expect(error.outgoing).to.deep.equal(bad);
      expect(error.code).to.equal('InvalidMessageContents');
      expect(error.message).to.equal(
        'The queue "jobs" refused the message: InvalidMessageContents: The body contains half of a surrogate pair.',
      );
      expect(await receivedBodies()).to.have.members(['good', 'also good']);
    });

    it('rejects all messages of a failed request, and continues', async () => {
      requests.restore();
      const failure = new BrokerError('unreachable', 'down');
      const stub = sinon.stub(queue, 'send').rejects(failure);
      const errors = await Promise.all(
        [sender.send({ body: 'a' }), sender.send({ body: 'b' })].map((sending) => rejection(sending)),
      );
      expect(errors).to.deep.equal([failure, failure]);
      stub.restore();
      await sender.send({ body: 'c' });
      expect(await receivedBodies()).to.deep.equal(['c']);
    });

    it('rejects a message without a result from the broker', async () => {
      requests.restore();
      sinon.stub(queue, 'send').resolves([{ ok: true, messageId: 'id' }]);
      const [sent, lost] = await Promise.allSettled([sender.send({ body: 'a' }), sender.send({ body: 'b' })]);
      expect(sent.status).to.equal('fulfilled');
      expect((lost as PromiseRejectedResult).reason)
        .to.be.instanceOf(SendError)
        .with.property('code', 'NoResult');
    });
  });

  describe('refuses', () => {
    it('a delay longer than the broker supports, with advice and before anything is sent', async () => {
      const error = await rejection(sender.send({ body: 'later', delaySeconds: 901 }));
      expect(error).to.be.instanceOf(SendError);
      expect((error as SendError).outgoing).to.deep.equal({ body: 'later', delaySeconds: 901 });
      expect(error.message)
        .to.contain('901 s')
        .and.contain('0 to 900 s')
        .and.contain('EventBridge Scheduler');
      expect(requestSizes()).to.deep.equal([]);
    });

    for (const delaySeconds of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`a delay of ${delaySeconds}`, async () => {
        expect(await rejection(sender.send({ body: 'never', delaySeconds }))).to.be.instanceOf(SendError);
        expect(requestSizes()).to.deep.equal([]);
      });
    }

    it('a message larger than 1 MiB, counted in bytes and including attributes, with advice', async () => {
      const limit = queue.limits.maxMessageBytes;
      const tooBig = [
        { body: 'x'.repeat(limit + 1) },
        { body: `ü${'x'.repeat(limit - 1)}` },
        {
          body: 'x'.repeat(limit - 7),
          attributes: { a: { dataType: 'Binary', binaryValue: new Uint8Array(1) } },
        },
      ];
      for (const message of tooBig) {
        const error = await rejection(sender.send(message));
        expect(error).to.be.instanceOf(SendError);
        expect(error.message).to.contain('1048577 bytes').and.contain('1048576').and.contain('a reference');
      }
      await sender.send({ body: 'x'.repeat(limit) });
      expect(requestSizes()).to.deep.equal([1]);
    });

    it('a message with more than ten attributes, before anything is sent', async () => {
      const { a0: _, ...ten } = elevenAttributes();
      const error = await rejection(sender.send({ body: 'a', attributes: elevenAttributes() }));
      expect(error).to.be.instanceOf(SendError);
      expect(error.message).to.contain('11 attributes').and.contain('at most 10');
      await sender.send({ body: 'a', attributes: ten });
      expect(requestSizes()).to.deep.equal([1]);
    });
  });

  it('rounds a delay up to whole seconds', async () => {
    await sender.send({ body: 'later', delaySeconds: 0.2 });
    expect(requests.args[0]?.[0]).to.deep.equal([{ body: 'later', delaySeconds: 1 }]);
  });

  it('adds nothing to a message for a standard queue', async () => {
    await sender.send({ body: 'as it is' });
    expect(requests.args[0]?.[0]).to.deep.equal([{ body: 'as it is' }]);
  });

  describe('to a FIFO queue', () => {
    it('puts messages in one group, each with its own deduplication id', async () => {
      await use('jobs.fifo');
      await sendAll(['same', 'same']);
      const [messages] = requests.args[0] ?? [[]];
      expect(messages.map(({ groupId }) => groupId)).to.deep.equal(['default', 'default']);
      expect(messages[0]?.deduplicationId).to.be.a('string').that.is.not.equal(messages[1]?.deduplicationId);
      expect(await receivedBodies()).to.deep.equal(['same', 'same']);
    });

    it('keeps a given group and deduplication id', async () => {
      await use('jobs.fifo');
      const message = { body: 'x', groupId: 'g', deduplicationId: 'd' };
      await Promise.all([sender.send(message), sender.send(message)]);
      expect(requests.args[0]?.[0]).to.deep.equal([message, message]);
      expect(await receivedBodies()).to.deep.equal(['x']);
    });

    it('does not add a deduplication id if the queue deduplicates by content', async () => {
      await use('jobs.fifo', { contentBasedDeduplication: true });
      await sendAll(['same', 'same', 'other']);
      expect(requests.args[0]?.[0][0]).to.deep.equal({ body: 'same', groupId: 'default' });
      expect(await receivedBodies()).to.deep.equal(['same', 'other']);
    });

    it('returns the sequence number of each message', async () => {
      await use('jobs.fifo');
      const [first, second] = await Promise.all([sender.send({ body: '1' }), sender.send({ body: '2' })]);
      expect(first?.sequenceNumber).to.be.a('string');
      expect(BigInt(second?.sequenceNumber ?? 0) > BigInt(first?.sequenceNumber ?? 0)).to.equal(true);
    });

    it('keeps the order of the calls, one request after another', async () => {
      await use('jobs.fifo');
      requests.restore();
      const answers: (() => void)[] = [];
      const order: string[] = [];
      sinon.stub(queue, 'send').callsFake(async (messages) => {
        order.push(...messages.map(({ body }) => body));
        await new Promise<void>((resolve) => answers.push(resolve));
        return messages.map(() => ({ ok: true, messageId: 'id' }));
      });
      const bodies = Array.from({ length: 25 }, (_, index) => String(index));
      const sending = sendAll(bodies);
      for (const underWay of [10, 20, 25]) {
        await new Promise((resolve) => setImmediate(resolve));
        expect(order).to.deep.equal(bodies.slice(0, underWay));
        answers.at(-1)?.();
      }
      await sending;
    });
  });
});

function elevenAttributes(): Record<string, { dataType: string; stringValue: string }> {
  return Object.fromEntries(
    Array.from({ length: 11 }, (_, index) => [`a${index}`, { dataType: 'String', stringValue: 'x' }]),
  );
}

/** Runs all pending promise callbacks. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a concurrency limiter', () => {
  /** Tasks in the order in which they started, and a function to end each. */
  let begun: string[];
  let ends: Map<string, { resolve: () => void; reject: (error: Error) => void }>;

  beforeEach(() => {
    begun = [];
    ends = new Map();
  });

  function task(name: string): () => Promise<string> {
    return async () => {
      begun.push(name);
      await new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
      return `${name} done`;
    };
  }

  it('lets at most that many tasks run at once, in order', async () => {
    const limiter = new ConcurrencyLimiter(2);
    const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => limiter.run(task(name))));
    await settle();
    expect(begun).to.deep.equal(['a', 'b']);
    ends.get('b')?.resolve();
    await settle();
    expect(begun).to.deep.equal(['a', 'b', 'c']);
    ends.get('a')?.resolve();
    await settle();
    ends.get('c')?.resolve();
    ends.get('d')?.resolve();
    expect(await all).to.deep.equal(['a done', 'b done', 'c done', 'd done']);
  });

  it('does not let a newcomer overtake those waiting', async () => {
    const limiter = new ConcurrencyLimiter(1);
    const first = limiter.run(task('first'));
    const second = limiter.run(task('second'));
    ends.get('first')?.resolve();
    await first;
    const third = limiter.run(task('third'));
    await settle();
    expect(begun).to.deep.equal(['first', 'second']);
    ends.get('second')?.resolve();
    await second;
    await settle();
    ends.get('third')?.resolve();
    await third;
  });

  it('continues after a failed task, and passes on its error', async () => {
    const limiter = new ConcurrencyLimiter(1);
    const failure = limiter.run(task('first')).catch((error: unknown) => error);
    const second = limiter.run(task('second'));
    const reason = new Error('down');
    ends.get('first')?.reject(reason);
    expect(await failure).to.equal(reason);
    await settle();
    ends.get('second')?.resolve();
    expect(await second).to.equal('second done');
  });

  it('is free again when no task is waiting', async () => {
    const limiter = new ConcurrencyLimiter(1);
    expect(await limiter.run(async () => 1)).to.equal(1);
    expect(await limiter.run(async () => 2)).to.equal(2);
  });
});
