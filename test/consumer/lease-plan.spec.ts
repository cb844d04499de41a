import { expect } from 'chai';
import { extensionSeconds, extensionTime, isDue, retryTime } from '../../src/consumer/lease-plan.ts';

describe('the plan of leases', () => {
  it('extends a lease when half of it is left', () => {
    expect(extensionTime(30_000, 30)).to.equal(15_000);
    expect(extensionTime(2_000, 2)).to.equal(1_000);
  });

  it('includes leases that are due a little later', () => {
    expect(isDue(15_000, 11_250, 30)).to.equal(true);
    expect(isDue(15_000, 11_249, 30)).to.equal(false);
  });

  it('extends from now, by the visibility timeout, however long the message was held', () => {
    expect(extensionSeconds(0, 15_000, 30)).to.equal(30);
    expect(extensionSeconds(0, 6 * 3_600_000, 30)).to.equal(30);
  });

  it('stays within the 12 hours from the receive, in whole seconds', () => {
    const hours12 = 43_200_000;
    expect(extensionSeconds(0, hours12 - 10_000, 30)).to.equal(10);
    expect(extensionSeconds(0, hours12 - 9_999.5, 30)).to.equal(9);
    expect(extensionSeconds(0, hours12, 30)).to.equal(0);
    expect(extensionSeconds(0, hours12 + 1, 30)).to.equal(0);
  });

  it('retries several times before the lease runs out, at most ten times per second', () => {
    expect(retryTime(15_000, 0)).to.equal(3_750);
    expect(retryTime(1_000, 999)).to.equal(1_099);
  });
});
