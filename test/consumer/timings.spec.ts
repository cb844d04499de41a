import { expect } from 'chai';
import { Timings } from '../../src/consumer/timings.ts';

describe('the network time', () => {
  let timings: Timings;
  beforeEach(() => {
    timings = new Timings();
  });

  it('is not known before messages have arrived', () => {
    timings.answered(5);
    expect(timings.receiveMs).to.equal(undefined);
  });

  it('falls immediately, and rises slowly', () => {
    for (const milliseconds of [20, 10]) timings.received(milliseconds);
    expect(timings.receiveMs).to.equal(10);
    timings.received(20);
    expect(timings.receiveMs).to.be.closeTo(12.1, 1e-9);
    timings.received(12.2);
    expect(timings.receiveMs).to.equal(12.2);
  });

  it('ignores the wait of a receive that waited for a message', () => {
    timings.received(3_000);
    expect(timings.receiveMs).to.equal(25);
  });

  it('may be long if other requests also take long', () => {
    timings.answered(40);
    timings.received(3_000);
    expect(timings.receiveMs).to.equal(80);
  });

  it('is limited by the short times of other requests', () => {
    for (const milliseconds of [40, 15, 3_000]) timings.answered(milliseconds);
    timings.received(3_000);
    expect(timings.receiveMs).to.be.closeTo(2 * 18.1, 1e-9);
  });
});

describe('the handling time', () => {
  it('is known as the average, and as the slowest recent one', () => {
    const timings = new Timings();
    for (const milliseconds of [100, 200]) timings.handled(milliseconds);
    expect(timings.handlingMs).to.be.closeTo(110.05, 0.001);
    expect(timings.slowestMs).to.equal(undefined);
    timings.handled(10);
    expect(timings.handlingMs).to.be.closeTo(100.05, 0.001);
    expect(timings.slowestMs).to.be.closeTo(0.9 * 200.05, 0.001);
  });
});
