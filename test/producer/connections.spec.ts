import { expect } from 'chai';
import sinon from 'sinon';
import type { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { closeProducers, connect, replaceBrokers, setContainer } from '../../src/producer/connections.ts';
import { queue } from '../../src/producer/producer.ts';
import { rejection } from '../support/rejection.ts';

/** Replaces the environment with one that has no region, so that SQS cannot be opened. */
function useEnvironment(variables: Record<string, string>): void {
  sinon.stub(process, 'env').value({
    AWS_CONFIG_FILE: '/nonexistent/config',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
    ...variables,
  });
}

/** How many messages are in a queue of the broker at this address. */
async function waiting(address: string, name: string): Promise<number> {
  const { broker } = await connect(address);
  const opened = await broker.open(name);
  return (await opened.counts()).visible;
}

describe('the brokers of producers', () => {
  afterEach(async () => {
    replaceBrokers(undefined);
    setContainer(undefined);
    sinon.restore();
    await closeProducers();
  });

  describe('are found', () => {
    it("by the producer's address", async () => {
      useEnvironment({ SQS_CONTAINERS_BROKER: 'nonsense:' });
      await queue('adder', { broker: 'memory:' })(1);
      expect(await waiting('memory:', 'adder')).to.equal(1);
    });

    it('by SQS_CONTAINERS_BROKER, read on each call', async () => {
      const adder = queue('adder');
      useEnvironment({ SQS_CONTAINERS_BROKER: 'memory:' });
      await adder(1);
      expect(await waiting('memory:', 'adder')).to.equal(1);
    });

    it('as that of the container in this process, with its prefix, if no other is configured', async () => {
      const broker = new MemoryBroker();
      setContainer({ broker, prefix: 'anna' });
      await queue('adder')(1);
      await queue('adder.fifo')(1);
      expect(await broker.list()).to.deep.equal(['anna__adder', 'anna__adder.fifo']);
      await queue('other', { broker: 'memory:' })(1);
      expect(await waiting('memory:', 'anna__other')).to.equal(1);
      useEnvironment({ SQS_CONTAINERS_BROKER: 'memory:' });
      await queue('third')(1);
      expect(await waiting('memory:', 'anna__third')).to.equal(1);
    });

    it('with the prefix of SQS_CONTAINERS_QUEUE_PREFIX', async () => {
      useEnvironment({ SQS_CONTAINERS_QUEUE_PREFIX: 'ben' });
      await queue('adder', { broker: 'memory:' })(1);
      expect(await waiting('memory:', 'ben__adder')).to.equal(1);
    });

    for (const environment of [{}, { SQS_CONTAINERS_BROKER: '' }]) {
      it(`at SQS if the environment is ${JSON.stringify(environment)}`, async () => {
        useEnvironment(environment);
        const failure = await rejection<BrokerError>(queue('adder')(1));
        expect(failure).to.have.property('kind', 'setup');
        expect(failure.message).to.contain('AWS_REGION');
      });
    }

    it('or not: the error contains the address', async () => {
      const failure = await rejection<BrokerError>(queue('adder', { broker: 'nonsense:' })(1));
      expect(failure).to.have.property('kind', 'setup');
      expect(failure.message).to.contain('"nonsense:"');
    });
  });

  it('are shared by producers with the same address', async () => {
    const [adder, mailer] = ['adder', 'mailer'].map((name) => queue(name, { broker: 'memory:' }));
    await Promise.all([adder?.(1), mailer?.(1)]);
    expect((await connect('memory:')).broker).to.equal((await connect('memory:')).broker);
    expect(await waiting('memory:', 'adder')).to.equal(1);
    expect(await waiting('memory:', 'mailer')).to.equal(1);
  });

  it('are opened again after a failure', async () => {
    useEnvironment({});
    const adder = queue('adder');
    await rejection<BrokerError>(adder(1));
    sinon.restore();
    useEnvironment({ AWS_REGION: 'eu-west-1' });
    expect((await connect()).broker.description).to.equal('SQS in region eu-west-1');
  });

  describe('are replaced', () => {
    it('for every address, even in producers that have already sent', async () => {
      const adder = queue('adder', { broker: 'memory:' });
      await adder(1);
      const replacement = new MemoryBroker();
      replaceBrokers(replacement);
      await adder(2);
      await queue('adder', { broker: 'nonsense:' })(3);
      expect(replacement.find('adder')?.currentCounts.visible).to.equal(2);

      replaceBrokers(undefined);
      await adder(4);
      expect(await waiting('memory:', 'adder')).to.equal(2);
      expect(replacement.find('adder')?.currentCounts.visible).to.equal(2);
    });

    it('without closing the replacement along with the opened brokers', async () => {
      const replacement = new MemoryBroker();
      const close = sinon.spy(replacement, 'close');
      replaceBrokers(replacement);
      await queue('adder')(1);
      await closeProducers();
      expect(close.callCount).to.equal(0);
    });
  });

  describe('are closed', () => {
    it('and opened again at the next call', async () => {
      const adder = queue('adder', { broker: 'memory:' });
      await adder(1);
      const { broker: first } = await connect('memory:');
      const close = sinon.spy(first, 'close');
      await closeProducers();
      expect(close.callCount).to.equal(1);
      await adder(2);
      expect((await connect('memory:')).broker).not.to.equal(first);
      expect(await waiting('memory:', 'adder')).to.equal(1);
    });

    it('without an error for a broker that could not be opened', async () => {
      const failure = rejection<BrokerError>(connect('nonsense:'));
      await closeProducers();
      expect((await failure).kind).to.equal('setup');
    });
  });
});
