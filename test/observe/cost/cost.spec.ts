import { expect } from 'chai';
import { billedRequests, costPerMillionMessages, monthlyCost } from '../../../src/observe/cost/cost.ts';

describe('the cost of SQS', () => {
  it('counts a request for each 64 KiB', () => {
    const kibibyte = 1024;
    expect([0, 1, 64 * kibibyte, 64 * kibibyte + 1, 256 * kibibyte].map(billedRequests)).to.deep.equal([
      1, 1, 1, 2, 4,
    ]);
  });

  it('is nothing for the first million requests of a month', () => {
    expect(monthlyCost({ standard: 600_000, fifo: 400_000 })).to.equal(0);
    expect(monthlyCost({ standard: 0, fifo: 0 })).to.equal(0);
  });

  it('is 40 cents for each million after that, and 50 on FIFO queues', () => {
    expect(monthlyCost({ standard: 3_000_000, fifo: 0 })).to.be.closeTo(0.8, 1e-9);
    expect(monthlyCost({ standard: 0, fifo: 3_000_000 })).to.be.closeTo(1, 1e-9);
    expect(monthlyCost({ standard: 1_000_000, fifo: 1_000_000 })).to.be.closeTo(0.45, 1e-9);
  });

  it('counts all requests if the free ones are used up', () => {
    expect(monthlyCost({ standard: 3_000_000, fifo: 0 }, 0)).to.be.closeTo(1.2, 1e-9);
  });

  it('is known per million messages once there was a message', () => {
    expect(costPerMillionMessages({ standard: 20, fifo: 0 }, 100)).to.be.closeTo(0.08, 1e-9);
    expect(costPerMillionMessages({ standard: 0, fifo: 20 }, 100)).to.be.closeTo(0.1, 1e-9);
    expect(costPerMillionMessages({ standard: 20, fifo: 0 }, 0)).to.equal(undefined);
  });
});
