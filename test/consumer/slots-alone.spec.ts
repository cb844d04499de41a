// Slots without a run loop around them, on the event loop of the process. What that makes of them: slots.spec.ts.
import { expect } from 'chai';
import sinon from 'sinon';
import type { Delivery } from '../../src/consumer/delivery.ts';
import { Slots } from '../../src/consumer/slots.ts';

describe('slots, alone', () => {
  afterEach(() => sinon.restore());

  const source = () => ({ running: 0, measure: () => {} });
  const deliveryOf = (of: ReturnType<typeof source>) => ({ source: of }) as unknown as Delivery;

  it('give way to I/O each millisecond, not after each message, when their workers return at once', async () => {
    let now = 0;
    // A message takes 0.3 ms: the clock is looked at three times for each.
    sinon.stub(performance, 'now').callsFake(() => {
      now += 0.1;
      return now;
    });
    let handled = 0;
    const handledByTurn: number[] = [];
    const turn = () => {
      handledByTurn.push(handled);
      if (handledByTurn.length < 4) setImmediate(turn);
    };
    setImmediate(turn);
    const delivery = deliveryOf(source());
    const slots = new Slots({
      count: 1,
      next: () => (handledByTurn.length === 4 || handled === 1_000 ? undefined : delivery),
      handle: async () => {
        handled += 1;
      },
      onChange: () => {},
    });
    slots.fill();
    while (slots.free === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(handledByTurn).to.deep.equal([4, 8, 12, 16]);
  });

  it('say which messages run, and of how many of a queue', async () => {
    const [orders, mails] = [source(), source()];
    const waiting = [orders, orders, mails].map(deliveryOf);
    const { promise, resolve } = Promise.withResolvers<void>();
    const slots = new Slots({
      count: 4,
      next: () => waiting.shift(),
      handle: () => promise,
      onChange: () => {},
    });
    slots.fill();
    expect([slots.free, slots.running.size, orders.running, mails.running]).to.deep.equal([1, 3, 2, 1]);
    resolve();
    await slots.stop();
    expect([slots.free, slots.running.size, orders.running, mails.running]).to.deep.equal([4, 0, 0, 0]);
  });

  it('start nothing once they are stopped, and are empty when the last worker has ended', async () => {
    let started = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const slots = new Slots({
      count: 1,
      next: () => deliveryOf(source()),
      handle: () => {
        started += 1;
        return promise;
      },
      onChange: () => {},
    });
    slots.fill();
    let empty = false;
    const stopped = slots.stop().then(() => {
      empty = true;
    });
    await Promise.resolve();
    expect(empty).to.equal(false);
    resolve();
    await stopped;
    slots.fill();
    expect([started, slots.free]).to.deep.equal([1, 1]);
  });
});
