import { expect } from 'chai';
import sinon from 'sinon';
import { defaultSettings } from '../../src/config/config.ts';
import { ConsumedQueue, type ConsumedQueueOptions } from '../../src/consumer/consumed-queue.ts';
import { realMachine } from '../../src/host/host.ts';
import { bodiesOf, faultyQueue, settled } from './running.ts';

describe('a consumed queue', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  /** A queue with messages: ten are requested and none are started. */
  async function consumed(
    name: string,
    bodies: readonly string[],
    options: Partial<ConsumedQueueOptions> = {},
  ) {
    const queue = await faultyQueue(name, bodies);
    const made = new ConsumedQueue({
      ...{ queue, weight: 1, settings: { ...defaultSettings(), settleDelay: 100, visibilityTimeout: 30 } },
      ...{ deadLetterQueue: undefined, crashRecord: undefined, observer: {}, machine: realMachine },
      ...{ draining: new AbortController().signal, onReceived: () => {}, stop: () => {} },
      wanted: (_, asked) => (asked === 0 && made.leases.size < bodies.length ? 10 : 0),
      ...options,
    });
    return made;
  }

  it('is new right after the start, until the first response', async () => {
    const quiet = await consumed('work', []);
    void quiet.receiver.run();
    expect(quiet.isNew).to.equal(true);
    await clock.tickAsync(1_000);
    expect(quiet.isNew).to.equal(false);

    const busy = await consumed('work', ['a']);
    void busy.receiver.run();
    await clock.tickAsync(1);
    expect([busy.waiting.size, busy.isNew]).to.deep.equal([1, false]);
  });

  it('drops a waiting message whose lease is lost, and returns those behind it in its group', async () => {
    const fifo = await consumed('work.fifo', [...bodiesOf('a', 3), 'b0']);
    void fifo.receiver.run();
    await settled();
    expect(fifo.waiting.size).to.equal(4);
    const [first] = fifo.leases.held;
    fifo.leases.lose(first!, 'refused');
    expect(fifo.waiting.size).to.equal(1);
    await clock.tickAsync(100);
    expect([...fifo.leases.held].map(({ message }) => message.body)).to.deep.equal(['b0']);
  });

  it('keeps the messages waiting behind a running message whose lease is lost', async () => {
    const fifo = await consumed('work.fifo', bodiesOf('a', 2));
    void fifo.receiver.run();
    await settled();
    const running = fifo.waiting.take()!;
    running.start(clock.now);
    fifo.leases.lose(running, 'refused');
    expect(fifo.waiting.size).to.equal(1);
  });

  for (const [own, seconds] of [
    [45, 45],
    [0, 30],
  ] as const) {
    it(`uses the queue's visibility timeout if none is configured: ${own} s becomes ${seconds} s`, async () => {
      const queue = await faultyQueue('work', ['a']);
      sinon.stub(queue, 'visibilityTimeout').get(() => own);
      const made = await consumed('work', ['a'], {
        ...{ queue, settings: { ...defaultSettings(), visibilityTimeout: undefined } },
      });
      void made.receiver.run();
      await settled();
      const [held] = made.leases.held;
      expect(held!.leaseEndsAt).to.equal(seconds * 1000);
    });
  }
});
