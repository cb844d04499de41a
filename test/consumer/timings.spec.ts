import { expect } from 'chai';
import { Timings } from '../../src/consumer/timings.ts';

describe('the time of the network', () => {
  let timings: Timings;
  beforeEach(() => {
    timings = new Timings();
  });

  it('is not known before messages have come', () => {
    timings.answered(5);
    expect(timings.receiveMs).to.equal(undefined);
  });

  it('falls at once, and rises slowly', () => {
    for (const milliseconds of [20, 10]) timings.received(milliseconds);
    expect(timings.receiveMs).to.equal(10);
    timings.received(20);
    expect(timings.receiveMs).to.be.closeTo(12.1, 1e-9);
    timings.received(12.2);
    expect(timings.receiveMs).to.equal(12.2);
  });

  it('is not that of a receive which waited for a message', () => {
    timings.received(3_000);
    expect(timings.receiveMs).to.equal(25);
  });

  it('may be long where other requests take long, too', () => {
    timings.answered(40);
    timings.received(3_000);
    expect(timings.receiveMs).to.equal(80);
  });

  it('is held against the short ones of the other requests', () => {
    for (const milliseconds of [40, 15, 3_000]) timings.answered(milliseconds);
    timings.received(3_000);
    expect(timings.receiveMs).to.be.closeTo(2 * 18.1, 1e-9);
  });
});

describe('the time of messages', () => {
  it('is known on average of the last ones, and of the slowest of late', () => {
    const timings = new Timings();
    for (const milliseconds of [100, 200]) timings.handled(milliseconds);
    expect(timings.handlingMs).to.be.closeTo(110.05, 0.001);
    expect(timings.slowestMs).to.equal(undefined);
    timings.handled(10);
    expect(timings.handlingMs).to.be.closeTo(100.05, 0.001);
    expect(timings.slowestMs).to.be.closeTo(0.9 * 200.05, 0.001);
  });
});
