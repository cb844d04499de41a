import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerConfigError, BrokerError } from '../../src/brokers/errors.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { exitCodeOf, logFatal } from '../../src/host/exit-codes.ts';
import { silentLog } from '../../src/worker/current-message.ts';
import { TransientError } from '../../src/worker/errors.ts';
import { createWorker } from '../../src/worker/worker.ts';
import { rejection } from '../support/rejection.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** The error when a container starts with this worker factory. */
const failureOf = (factory: unknown) =>
  rejection(createWorker(factory, {}, './worker.ts:worker', { directory: '/', log: silentLog }));
const throwing = (error: unknown) => async () => {
  throw error;
};

describe('the exit code of an error', () => {
  it('is 69 if a worker factory needs something that is unavailable, and 78 if it is wrong', async () => {
    class Connecting {
      constructor() {
        throw refused;
      }
    }
    const outside = [
      throwing(refused),
      throwing(new AggregateError([refused])),
      throwing(new TypeError('fetch failed', { cause: refused })),
      throwing(new BrokerError('unreachable', 'nobody answers')),
      throwing(new TransientError('busy')),
      throwing(new Error('the database system is starting up')),
      throwing(undefined),
      Connecting,
    ];
    for (const factory of outside) expect(exitCodeOf(await failureOf(factory))).to.equal(69);
    const wrong = [
      throwing(new TypeError('config.url is undefined')),
      throwing(new BrokerConfigError('no broker')),
      () => undefined,
      5,
    ];
    for (const factory of wrong) expect(exitCodeOf(await failureOf(factory))).to.equal(78);
  });

  it('is 78 for the address of an unknown broker', async () => {
    const addresses = [
      'mysql://host/queues',
      'sqs+http://',
      'postgres://host/db?schema=A-B',
      'redis://host/x',
    ];
    for (const address of [...addresses, './missing.ts:Broker', 'missing-package:Broker']) {
      const error = await rejection(openBroker(address));
      expect(error, address).to.be.instanceOf(BrokerError).with.property('kind', 'setup');
      expect(exitCodeOf(error), address).to.equal(78);
    }
  });

  it('is 69 for a broker that cannot be reached, or cannot be used yet', () => {
    for (const kind of ['missing', 'unreachable', 'credentials', 'denied', 'setup'] as const) {
      expect(exitCodeOf(new BrokerError(kind, 'down'))).to.equal(69);
    }
  });

  it("is logged with the stack of a factory's error, unless that is meant to be one line", async () => {
    const log = { error: sinon.spy() };
    const told = async (error: unknown) => {
      logFatal(error, log);
      return log.error.lastCall.args[1];
    };
    expect(await told(await failureOf(throwing(refused)))).to.equal(refused);
    expect(await told(await failureOf(throwing(new TransientError('busy'))))).to.equal(undefined);
    expect(await told(new BrokerConfigError('no broker', { cause: refused }))).to.equal(undefined);
  });
});
