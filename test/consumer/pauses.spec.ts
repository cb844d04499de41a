import { expect } from 'chai';
import { retryPause } from '../../src/consumer/pauses.ts';

describe('the pause after failures', () => {
  it('doubles from half a second to ten seconds', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 1_000].map((failures) => retryPause(failures, () => 1));
    expect(longest).to.deep.equal([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it('is random in its upper half, so that processes do not return at the same time', () => {
    expect(retryPause(2, () => 0)).to.equal(500);
    expect(retryPause(2, () => 1)).to.equal(1_000);
  });

  it('limits requests to 30 per minute', () => {
    let passed = 0;
    let attempts = 0;
    while (passed < 60_000) {
      attempts += 1;
      passed += retryPause(attempts, () => 0);
    }
    expect(attempts).to.be.at.most(30);
  });
});
