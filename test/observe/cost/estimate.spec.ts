import { expect } from 'chai';
import { SECONDS_A_MONTH } from '../../../src/observe/cost/cost.ts';
import {
  containerRequests,
  naiveRequests,
  pollRate,
  type Setup,
} from '../../../src/observe/cost/estimate.ts';

const SETUP: Setup = { processes: 1, queues: 1, slots: 1, poll: 20, idlePause: 0, settleDelay: 0.2 };
const FAST = { size: 1_000, handling: 0.001 };

describe('the estimate of requests', () => {
  const hourly = (idlePause: number) => 3_600 * pollRate(0, { poll: 20, idlePause, batch: 10 });

  it('of an idle container matches the measurement', () => {
    expect(hourly(0)).to.be.closeTo(180, 1);
    expect(hourly(10)).to.be.closeTo(120, 1);
    expect(hourly(60)).to.be.closeTo(45, 1);
    expect(hourly(300)).to.be.closeTo(11, 0.5);
  });

  it('of a container that is always busy matches the measurement: 0.2 per message', () => {
    const rate = 900;
    const { ReceiveMessage, DeleteMessage } = containerRequests({ ...FAST, rate }, SETUP);
    expect((ReceiveMessage + DeleteMessage) / (rate * SECONDS_A_MONTH)).to.be.closeTo(0.2, 0.001);
  });

  it('of a few messages is a receive and a delete for each, plus the empty polls', () => {
    const rate = 1 / 3_600;
    const { ReceiveMessage, DeleteMessage } = containerRequests({ ...FAST, rate }, SETUP);
    const hours = SECONDS_A_MONTH / 3_600;
    expect(DeleteMessage / hours).to.be.closeTo(1, 0.001);
    // A message ends a poll halfway, on average.
    expect(ReceiveMessage / hours).to.be.closeTo(180.5, 1);
  });

  it('grows with queues and processes only by their empty polls', () => {
    const idle = containerRequests({ ...FAST, rate: 0 }, { ...SETUP, queues: 3, processes: 4 });
    expect(idle.ReceiveMessage).to.be.closeTo(
      12 * containerRequests({ ...FAST, rate: 0 }, SETUP).ReceiveMessage,
      1,
    );
    const busy = containerRequests({ ...FAST, rate: 9_000 }, { ...SETUP, processes: 4 });
    expect(busy.ReceiveMessage / (9_000 * SECONDS_A_MONTH)).to.be.closeTo(0.1, 0.001);
  });

  it('falls with idle_pause, but less so with more messages', () => {
    const saved = (rate: number) =>
      1 -
      pollRate(rate, { poll: 20, idlePause: 60, batch: 10 }) /
        pollRate(rate, { poll: 20, idlePause: 0, batch: 10 });
    expect(saved(0)).to.be.closeTo(0.75, 0.01);
    expect(saved(1 / 3_600)).to.be.within(0.1, saved(0));
    expect(saved(1)).to.be.closeTo(0, 0.001);
  });

  it('has a receive for each message if a worker is slow', () => {
    const { ReceiveMessage } = containerRequests(
      { size: 1_000, handling: 60, rate: 100 },
      { ...SETUP, processes: 6_000 },
    );
    expect(ReceiveMessage / (100 * SECONDS_A_MONTH)).to.be.at.least(1);
  });

  it('counts each 64 KiB of a request as one', () => {
    const rate = 900;
    const { SendMessage, ReceiveMessage } = containerRequests({ ...FAST, size: 65_537, rate }, SETUP);
    expect(SendMessage).to.equal(2 * rate * SECONDS_A_MONTH);
    // Ten messages of 65,537 bytes are eleven requests.
    expect(ReceiveMessage).to.be.closeTo(1.1 * rate * SECONDS_A_MONTH, 1);
  });

  it('of a naive consumer is a receive and a delete for each message', () => {
    const { ReceiveMessage, DeleteMessage } = naiveRequests({ ...FAST, rate: 900 }, SETUP);
    expect(ReceiveMessage).to.be.closeTo(900 * SECONDS_A_MONTH, 1);
    expect(DeleteMessage).to.equal(900 * SECONDS_A_MONTH);
  });
});
