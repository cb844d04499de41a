import { expect } from 'chai';
import sinon from 'sinon';
import { BrokerError } from '../../src/brokers/errors.ts';
import { sleep } from '../support/faulty-queue.ts';
import { bodiesOf, running, settled } from './running.ts';

describe('a paused consumer', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('receives nothing, and continues when it is resumed', async () => {
    const { consumer, queue, send, started } = await running(() => {});
    queue.abortsReceives = true;
    await settled();
    consumer.pause();
    await settled();
    const calls = queue.callsOf('receive').length;
    await send('a');
    await clock.tickAsync(600_000);
    expect(started).to.deep.equal([]);
    expect(queue.callsOf('receive')).to.have.length(calls);
    expect(consumer.state).to.equal('paused');

    consumer.resume();
    await settled();
    expect(started).to.deep.equal(['a']);
    expect(consumer.state).to.equal('running');
  });

  it('handles the messages that it holds', async () => {
    const { consumer, queue, started } = await running(
      () => sleep(1_000),
      { prefetch: 4 },
      { bodies: bodiesOf('a', 20) },
    );
    await clock.tickAsync(1_500);
    const { inFlight } = await queue.counts();
    consumer.pause();
    await clock.tickAsync(60_000);
    expect(consumer.held).to.equal(0);
    expect(started).to.have.length(1 + inFlight);
    expect(await queue.counts()).to.deep.equal({ visible: 19 - inFlight, inFlight: 0, delayed: 0 });
  });

  it('accepts the messages of a long poll that cannot be aborted safely', async () => {
    const { consumer, send, started } = await running(() => {});
    await settled();
    consumer.pause();
    await clock.tickAsync(5_000);
    await send('a', 'b');
    await clock.tickAsync(60_000);
    expect(started).to.deep.equal(['a']);
  });

  it('ignores wake(), and does not retry after a failure', async () => {
    const { consumer, queue } = await running(() => {});
    queue.always.receive = { error: new BrokerError('unreachable', 'down') };
    await clock.tickAsync(30_000);
    consumer.pause();
    await clock.tickAsync(30_000);
    const calls = queue.callsOf('receive').length;
    consumer.wake();
    await clock.tickAsync(60_000);
    expect(queue.callsOf('receive')).to.have.length(calls);
  });

  it('is not idle, and the idle time starts over when it is resumed', async () => {
    const { consumer, run } = await running(() => {}, { idleExit: 60 });
    let ended = false;
    void run.then(() => {
      ended = true;
    });
    consumer.pause();
    await clock.tickAsync(600_000);
    consumer.resume();
    await clock.tickAsync(59_000);
    expect(ended).to.equal(false);
    await clock.tickAsync(3_000);
    expect(ended).to.equal(true);
  });

  it('is not reported as stalled', async () => {
    const { consumer, send, started } = await running(() => {});
    await clock.tickAsync(10_000);
    consumer.pause();
    await clock.tickAsync(3_600_000);
    expect(consumer.loads).to.deep.equal([
      { name: 'work', held: 0, running: 0, failing: false, silentSeconds: 0 },
    ]);
    consumer.resume();
    await send('a');
    await clock.tickAsync(1_000);
    expect(started).to.deep.equal(['a']);
  });

  it('ends after stop(), whatever else is called, and never runs two polls at a time', async () => {
    const commands = ['pause', 'resume', 'wake', 'stop'] as const;
    const sequences = commands.flatMap((first) =>
      commands.flatMap((second) => commands.map((third) => [first, second, third] as const)),
    );
    for (const sequence of sequences) {
      const { consumer, queue, run, send, started } = await running(() => sleep(50));
      const receive = queue.receive.bind(queue);
      let polls = 0;
      queue.receive = async (options) => {
        polls += 1;
        expect(polls, sequence.join()).to.equal(1);
        return receive(options).finally(() => {
          polls -= 1;
        });
      };
      for (const command of sequence) {
        consumer[command]();
        await send('a');
        await clock.tickAsync(70);
      }
      consumer.stop();
      await clock.tickAsync(10_000);
      const { unfinished, mayRunAgain } = await run;
      const { visible, inFlight } = await queue.counts();
      expect([unfinished, mayRunAgain, inFlight, visible + started.length], sequence.join()).to.deep.equal([
        0, 0, 0, 3,
      ]);
    }
    expect(clock.countTimers()).to.equal(0);
  });

  it('drains on stop(), and stays stopped', async () => {
    const { consumer, run, queue, send } = await running(() => {});
    await settled();
    consumer.pause();
    consumer.stop();
    await clock.tickAsync(5_000);
    expect((await run).held).to.equal(0);
    expect(consumer.state).to.equal('draining');
    const calls = queue.callsOf('receive').length;
    consumer.resume();
    await send('a');
    await clock.tickAsync(60_000);
    expect(queue.callsOf('receive')).to.have.length(calls);
    expect(consumer.state).to.equal('draining');
  });
});

describe('what a consumer reports about its receives', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  it('is the seconds since the last one returned, while one is in progress', async () => {
    const { consumer } = await running(() => {});
    await clock.tickAsync(15_000);
    expect(consumer.loads[0]?.silentSeconds).to.equal(15);
    await clock.tickAsync(15_000);
    expect(consumer.loads[0]?.silentSeconds).to.equal(10);
  });

  it('is a failure until one succeeds again', async () => {
    const { consumer, queue } = await running(() => {});
    queue.always.receive = { error: new BrokerError('unreachable', 'down') };
    await clock.tickAsync(30_000);
    expect(consumer.loads[0]?.failing).to.equal(true);
    delete queue.always.receive;
    await clock.tickAsync(60_000);
    expect(consumer.loads[0]?.failing).to.equal(false);
  });
});
