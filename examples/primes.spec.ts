// How to test a slow worker: the clock is fake, so minutes pass in no time.
import { expect } from 'chai';
import sinon from 'sinon';
import { queue } from 'sqs-containers';
import { TestContainer } from 'sqs-containers/test';

const countPrimes = queue<[number]>('primes');

describe('the prime counter', () => {
  let container: TestContainer;
  let clock: sinon.SinonFakeTimers;
  let printed: sinon.SinonStub;

  beforeEach(async () => {
    // Fake only the clock: the worker yields with the real setImmediate.
    clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    printed = sinon.stub(console, 'log');
    container = await TestContainer.start('examples/primes.ini');
  });
  afterEach(async () => {
    await container.stop();
    sinon.restore();
  });

  it('counts', async () => {
    await countPrimes.batch([[1], [2], [9], [10], [100_000]]);
    await container.idle();

    expect(printed.args.map(([line]) => line)).to.deep.equal([
      '0 primes up to 1',
      '1 primes up to 2',
      '4 primes up to 9',
      '4 primes up to 10',
      '9592 primes up to 100000',
    ]);
  });

  it('keeps its message while it counts', async () => {
    await countPrimes(1_000_000);
    const idle = container.idle();
    await clock.tickAsync('00:02:00'); // Four visibility timeouts.
    expect(container.deleted, 'still counting').to.have.length(0);
    await idle;

    expect(container.deleted.map(({ receiveCount }) => receiveCount)).to.deep.equal([1]);
    expect(printed.args).to.deep.equal([['78498 primes up to 1000000']]);
  });

  it('returns its message to the queue when it is stopped', async () => {
    await countPrimes(10_000_000);
    await clock.tickAsync(1);
    await container.stop();

    expect(container.kept).to.have.length(1);
    expect(printed.args).to.deep.equal([]);
  });
});
