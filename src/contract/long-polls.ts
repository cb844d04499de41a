/** Contract specs: a long poll resolves when a message arrives, when its wait ends, or when it is aborted. */
import { expect } from 'chai';
import type { Message, Queue } from '../brokers/broker.ts';
import { type BrokerUnderTest, freshQueue, openedTwice, type UnderTest } from './broker-under-test.ts';
import { bodies, receiveNow, receiveOne, send } from './operations.ts';

/** The longest an available message may take to arrive, in milliseconds: too short for a broker that polls once a second. */
const AT_ONCE_MS = 800;

export function polls(underTest: UnderTest): void {
  describe('a long poll', () => {
    endsWhenAMessageComes(underTest);
    endsWithNothing(underTest);
  });
}

function endsWhenAMessageComes(underTest: UnderTest): void {
  it('resolves immediately when a message is available', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const [messages, milliseconds] = await timed(poll(queue, 10));
    expect(bodies(messages)).to.deep.equal(['x']);
    expect(milliseconds).to.be.below(AT_ONCE_MS);
  });

  it('resolves when a message arrives', async () => {
    const queue = await freshQueue(underTest());
    await expectToEndWith(queue, queue, underTest().advance);
  });

  it('resolves when another instance of the broker sends a message', async function () {
    const [queue, sender] = await openedTwice(underTest(), await freshQueue(underTest()));
    if (!queue || !sender) return this.skip();
    await expectToEndWith(queue, sender, underTest().advance);
  });

  it("resolves when a message's delay ends", async () => {
    const queue = await freshQueue(underTest());
    await send(queue, { body: 'x', delaySeconds: 1 });
    const polling = timed(poll(queue, 10));
    await underTest().advance(1);
    const [messages, milliseconds] = await polling;
    expect(bodies(messages)).to.deep.equal(['x']);
    expect(milliseconds).to.be.within(900, 1000 + AT_ONCE_MS);
  });

  it('resolves when a visibility timeout ends', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    await receiveOne(queue, 1);
    const polling = timed(poll(queue, 10));
    await underTest().advance(1);
    const [messages, milliseconds] = await polling;
    expect(messages[0]).to.include({ body: 'x', receiveCount: 2 });
    expect(milliseconds).to.be.within(900, 1000 + AT_ONCE_MS);
  });

  it('resolves when a message is returned to the queue', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const { receiptHandle } = await receiveOne(queue);
    const polling = timed(poll(queue, 10));
    await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
    const [messages, milliseconds] = await polling;
    expect(messages[0]).to.include({ body: 'x', receiveCount: 2 });
    expect(milliseconds).to.be.below(AT_ONCE_MS);
  });
}

function endsWithNothing(underTest: UnderTest): void {
  it('resolves with no messages when its wait ends', async () => {
    const queue = await freshQueue(underTest());
    const polling = timed(poll(queue, 1));
    await underTest().advance(1);
    const [messages, milliseconds] = await polling;
    expect(messages).to.deep.equal([]);
    expect(milliseconds).to.be.within(990, 1000 + AT_ONCE_MS);
  });

  it('takes no message after its signal is aborted', async () => {
    const queue = await freshQueue(underTest());
    const ending = new AbortController();
    const polling = timed(
      queue.receive({ max: 10, waitSeconds: 1, signal: ending.signal }).catch((reason: unknown) => {
        expect(reason).to.equal(ending.signal.reason);
        return [];
      }),
    );
    await underTest().advance(0.1);
    ending.abort();
    const [messages, milliseconds] = await polling;
    expect(messages).to.deep.equal([]);
    expect(milliseconds).to.be.below(100 + AT_ONCE_MS);
    // The server may still answer the aborted receive until its wait ends.
    if (!queue.abortsReceives) await underTest().advance(1);
    await send(queue, 'x');
    expect((await receiveOne(queue)).receiveCount).to.equal(1);
  });

  it('takes no message if its signal is already aborted', async () => {
    const queue = await freshQueue(underTest());
    await send(queue, 'x');
    const messages = await queue
      .receive({ max: 10, waitSeconds: 1, signal: AbortSignal.abort() })
      .catch((): Message[] => []);
    expect(messages).to.deep.equal([]);
    expect((await receiveOne(queue)).receiveCount).to.equal(1);
  });

  it('shares arriving messages with other pending polls, each message once', async () => {
    const queue = await freshQueue(underTest());
    const queues = await openedTwice(underTest(), queue);
    const polling = [...'abcd'].map((_, index) =>
      queues[index % queues.length]!.receive({ max: 1, waitSeconds: 10 }),
    );
    await underTest().advance(0.1);
    await send(queue, 'a', 'b', 'c', 'd');
    expect(bodies((await Promise.all(polling)).flat()).sort()).to.deep.equal(['a', 'b', 'c', 'd']);
    expect(await receiveNow(queue)).to.deep.equal([]);
  });
}

/** Expects a long poll on `queue` to resolve when `sender`, which may belong to another broker, sends a message. */
async function expectToEndWith(
  queue: Queue,
  sender: Queue,
  advance: Required<BrokerUnderTest>['advance'],
): Promise<void> {
  const polling = timed(poll(queue, 10));
  await advance(0.1);
  await send(sender, 'x');
  const [messages, milliseconds] = await polling;
  expect(bodies(messages)).to.deep.equal(['x']);
  expect(milliseconds).to.be.within(95, 100 + AT_ONCE_MS);
}

function poll(queue: Queue, waitSeconds: number): Promise<Message[]> {
  return queue.receive({ max: 10, waitSeconds });
}

/** A call's value, and how long it took on the spec's clock, in milliseconds. */
async function timed<Value>(call: Promise<Value>): Promise<[value: Value, milliseconds: number]> {
  const started = Date.now();
  const value = await call;
  return [value, Date.now() - started];
}
