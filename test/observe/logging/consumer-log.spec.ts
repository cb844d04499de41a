import { expect } from 'chai';
import sinon from 'sinon';
import { ConsumerLog } from '../../../src/observe/logging/consumer-log.ts';
import type { Logger, Loggers } from '../../../src/observe/logging/loggers.ts';
import { running } from '../../consumer/running.ts';

describe('the log of a consumer', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('keeps a message whose body cannot be written to the messages log, and reports the error', async () => {
    const log = { error: sinon.spy(), warn: sinon.spy(), info: sinon.spy(), debug: sinon.spy() };
    const diskIsFull = new Error('ENOSPC: no space left on device, write');
    const keep = sinon.stub<[string], void>().onFirstCall().throws(diskIsFull);
    const loggers: Loggers = { get: (): Logger => log, keep, reopen() {}, close() {} };
    const { queue, started } = await running(
      () => {
        throw new Error('no such user');
      },
      { onError: 'delete', visibilityTimeout: 10 },
      { bodies: ['a'], observer: new ConsumerLog(loggers, log) },
    );
    await clock.tickAsync(5_000);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
    const causes = log.error.args.map(([, error]) => error);
    expect(causes).to.include(diskIsFull);

    await clock.tickAsync(10_000);
    expect(started).to.deep.equal(['a', 'a']);
    expect(keep.args).to.deep.equal([['a'], ['a']]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });
});
