import { expect } from 'chai';
import sinon from 'sinon';
import { Source, type SourceOptions } from '../../src/consumer/source.ts';
import { silentLog } from '../../src/worker/current-message.ts';
import { bodiesOf, faultyQueue, settled } from './running.ts';

describe('a queue that is worked on', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  /** A source of a queue with messages, which asks for ten and starts none. */
  async function source(name: string, bodies: readonly string[], options: Partial<SourceOptions> = {}) {
    const queue = await faultyQueue(name, bodies);
    const made = new Source({
      ...{ queue, weight: 1, waitSeconds: 20, idlePause: 0, visibilityTimeout: 30, settleDelayMs: 100 },
      ...{ deadLetterQueue: undefined, observer: {}, logOf: () => silentLog, crashesOf: () => 0 },
      demand: (_, asked) => (asked === 0 && made.leases.size < bodies.length ? 10 : 0),
      onReceived: () => {},
      ...options,
    });
    return made;
  }

  it('is active right after its start, while a message waits, and while one runs', async () => {
    const quiet = await source('work', []);
    void quiet.receiver.run();
    expect(quiet.active).to.equal(true);
    await clock.tickAsync(1_000);
    expect(quiet.active).to.equal(false);
    quiet.running = 1;
    expect(quiet.active).to.equal(true);

    const busy = await source('work', ['a']);
    void busy.receiver.run();
    await clock.tickAsync(1_000);
    expect([busy.waiting.size, busy.active]).to.deep.equal([1, true]);
    busy.waiting.take();
    expect(busy.active).to.equal(false);
  });

  it('knows how long messages take: on average the last ones, and the slowest of late', async () => {
    const measured = await source('work', []);
    for (const milliseconds of [100, 200]) measured.measure(milliseconds);
    expect(measured.handlingMs).to.be.closeTo(110.05, 0.001);
    expect(measured.slowestMs).to.equal(undefined);
    measured.measure(10);
    expect(measured.handlingMs).to.be.closeTo(100.05, 0.001);
    expect(measured.slowestMs).to.be.closeTo(0.9 * 200.05, 0.001);
  });

  it('lets go of a waiting message whose lease is lost, and gives back those behind it in its group', async () => {
    const fifo = await source('work.fifo', [...bodiesOf('a', 3), 'b0']);
    void fifo.receiver.run();
    await settled();
    expect(fifo.waiting.size).to.equal(4);
    const [first] = fifo.leases.held;
    fifo.leases.lose(first!, 'refused');
    expect(fifo.waiting.size).to.equal(1);
    await clock.tickAsync(100);
    expect([...fifo.leases.held].map(({ message }) => message.body)).to.deep.equal(['b0']);
  });

  it('leaves alone what waits behind a message that runs, when the lease of that is lost', async () => {
    const fifo = await source('work.fifo', bodiesOf('a', 2));
    void fifo.receiver.run();
    await settled();
    const running = fifo.waiting.take()!;
    running.phase = 'running';
    fifo.leases.lose(running, 'refused');
    expect(fifo.waiting.size).to.equal(1);
  });

  for (const [own, seconds] of [
    [45, 45],
    [0, 30],
  ] as const) {
    it(`takes the visibility timeout of the queue if there is no other: ${own} s is ${seconds} s`, async () => {
      const queue = await faultyQueue('work', ['a']);
      sinon.stub(queue, 'visibilityTimeout').get(() => own);
      const made = await source('work', ['a'], { queue, visibilityTimeout: undefined });
      void made.receiver.run();
      await settled();
      const [delivery] = made.leases.held;
      expect(delivery!.leaseEndsAt).to.equal(seconds * 1000);
    });
  }
});
