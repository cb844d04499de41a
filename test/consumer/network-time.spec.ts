import { expect } from 'chai';
import { NetworkTime } from '../../src/consumer/network-time.ts';

describe('the time of the network', () => {
  let network: NetworkTime;
  beforeEach(() => {
    network = new NetworkTime();
  });

  it('is not known before messages have come', () => {
    network.answered(5);
    expect(network.receiveMs).to.equal(undefined);
  });

  it('falls at once, and rises slowly', () => {
    for (const milliseconds of [20, 10]) network.received(milliseconds);
    expect(network.receiveMs).to.equal(10);
    network.received(20);
    expect(network.receiveMs).to.be.closeTo(12.1, 1e-9);
    network.received(12.2);
    expect(network.receiveMs).to.equal(12.2);
  });

  it('is not that of a receive which waited for a message', () => {
    network.received(3_000);
    expect(network.receiveMs).to.equal(25);
  });

  it('may be long where other requests take long, too', () => {
    network.answered(40);
    network.received(3_000);
    expect(network.receiveMs).to.equal(80);
  });

  it('is held against the short ones of the other requests', () => {
    for (const milliseconds of [40, 15, 3_000]) network.answered(milliseconds);
    network.received(3_000);
    expect(network.receiveMs).to.be.closeTo(2 * 18.1, 1e-9);
  });
});
