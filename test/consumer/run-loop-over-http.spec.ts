// The run loop against a misbehaving SQS, over real HTTP.
import { expect } from 'chai';
import sinon from 'sinon';
import { openBroker } from '../../src/brokers/open.ts';
import type { ConsumerObserver } from '../../src/consumer/observer.ts';
import { sleep } from '../support/faulty-queue.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';
import { openConsumer } from './running.ts';

const MESSAGES = 40;

interface Scenario {
  /** Makes things go wrong: called before the consumer starts, and for each message as it is handled. */
  readonly arrange: (stub: Stub) => unknown;
  readonly meanwhile?: (handledSoFar: number) => void;
}

interface Ended {
  /** How often each body was handled. */
  readonly handled: ReadonlyMap<string, number>;
  readonly failures: number;
  readonly recoveries: number;
}

/** Handles 40 messages in this scenario, and 10 sent afterwards, to see that polling continues; then drains. */
async function play({ arrange, meanwhile }: Scenario): Promise<Ended> {
  const stub = await startStub();
  const queue = stub.queue('jobs');
  queue.preload(MESSAGES);
  arrange(stub);
  const broker = await openBroker(`sqs+${stub.url}`);
  const handled = new Map<string, number>();
  let count = 0;
  const observer = { receiveFailed: sinon.spy(), receiveRecovered: sinon.spy() } satisfies ConsumerObserver;
  const worker = {
    async handleMessage({ body }: { body: string }) {
      await sleep(5);
      handled.set(body, (handled.get(body) ?? 0) + 1);
      count += 1;
      meanwhile?.(count);
    },
  };
  const settings = {
    concurrency: 4,
    poll: 1,
    visibilityTimeout: 3,
    drainTimeout: 1,
  };
  const consumer = await openConsumer(
    [{ queue: await broker.open('jobs'), weight: 1 }],
    worker,
    settings,
    observer,
  );
  const run = consumer.run();
  const isEmpty = () => queue.counts.visible + queue.counts.inFlight === 0;
  try {
    await until(isEmpty);
    queue.preload(10, 'afterwards');
    await until(() => handled.has('afterwards') && isEmpty());
    consumer.stop();
    await run;
    expect(consumer.held).to.equal(0);
  } finally {
    consumer.stop();
    await run.catch(() => {});
    await broker.close();
    await stub.stop();
  }
  const [failures, recoveries] = [observer.receiveFailed.callCount, observer.receiveRecovered.callCount];
  return { handled, failures, recoveries };
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 25_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error('The queue was not empty after 25 s.');
    await sleep(20);
  }
}

const someEntries = { entries: [0, 3, 7], code: 'InternalError', senderFault: false };
const either = ['ReceiveMessage', 'DeleteMessageBatch'];

/** Faults that still let each message be handled once. */
const once: Record<string, Scenario> = {
  'answers 500 now and then': {
    arrange: (stub) => {
      for (const action of either) stub.fault(action, { status: 500, code: 'InternalFailure' }, 4);
    },
  },
  throttles: {
    arrange: (stub) => {
      for (const action of either) stub.fault(action, { status: 400, code: 'RequestThrottled' }, 4);
    },
  },
  'denies access for a while': {
    arrange: (stub) => {
      for (const action of either) stub.fault(action, { status: 403, code: 'AccessDenied' }, 3);
    },
  },
  'does not know the queue for a while': {
    arrange: (stub) => {
      for (const action of either) {
        stub.fault(action, { status: 400, code: 'com.amazonaws.sqs#QueueDoesNotExist' }, 3);
      }
    },
  },
  'resets connections in the middle of a response': {
    arrange: (stub) => {
      for (const action of either) stub.fault(action, { reset: true }, 3);
    },
  },
  'never answers a receive': {
    arrange: (stub) => stub.fault('ReceiveMessage', { silent: true }),
  },
  'never answers a delete': {
    arrange: (stub) => stub.fault('DeleteMessageBatch', { silent: true }),
  },
  'stops in the middle of the response to a receive': {
    arrange: (stub) => stub.fault('ReceiveMessage', { stalled: true }),
  },
  'stops in the middle of the response to a delete': {
    arrange: (stub) => stub.fault('DeleteMessageBatch', { stalled: true }),
  },
  'refuses some entries in a batch': {
    arrange: (stub) => stub.fault('DeleteMessageBatch', someEntries, 6),
  },
  'omits some entries in its batch results': {
    arrange: (stub) => stub.fault('DeleteMessageBatch', { forgotten: ['0', '1'] }, 3),
  },
  'fails a delete twice, and then recovers': {
    arrange: (stub) => stub.fault('DeleteMessageBatch', { ...someEntries, entries: [0] }, 2),
  },
  'takes longer than the visibility timeout for a delete': {
    arrange: (stub) => stub.fault('DeleteMessageBatch', { delayMs: 3_500 }, 2),
  },
  'mistakes valid receipt handles for invalid ones': {
    arrange: (stub) =>
      stub.fault('DeleteMessageBatch', {
        entries: [1, 2],
        code: 'ReceiptHandleIsInvalid',
        senderFault: true,
      }),
  },
  'is used while the clock jumps': {
    arrange: () => sinon.useFakeTimers({ toFake: ['Date'], now: Date.now() }),
    meanwhile: (handledSoFar) => {
      const hours = { 10: 24, 20: -48, 30: 1 }[handledSoFar];
      if (hours !== undefined) sinon.clock.setSystemTime(Date.now() + hours * 3_600_000);
    },
  },
};

/** Faults that make messages arrive again while they are handled. */
const repeatedly: Record<string, Scenario> = {
  'delivers messages twice': {
    arrange: (stub) => {
      const queue = stub.queue('jobs');
      const receive = queue.receive.bind(queue);
      queue.receive = (request, answer) =>
        receive(request, (messages) => answer([...messages, ...messages.slice(0, 1)]));
    },
  },
  'expires receipt handles while their messages are handled': {
    arrange: (stub) => {
      const queue = stub.queue('jobs');
      const receive = queue.receive.bind(queue);
      let times = 0;
      queue.receive = (request, answer) => {
        times += 1;
        return receive({ ...request, visibilityTimeout: times > 2 ? request.visibilityTimeout : 0 }, answer);
      };
    },
  },
};

describe('an SQS that', function () {
  this.timeout(40_000);
  // Scenarios without a response take long, so all run at the same time.
  const ended = new Map<string, Promise<Ended>>();
  before(() => {
    for (const [name, scenario] of Object.entries({ ...once, ...repeatedly })) {
      const playing = play(scenario);
      playing.catch(() => {});
      ended.set(name, playing);
    }
  });
  after(() => sinon.restore());

  const timesHandled = async (name: string) => {
    const { handled } = await ended.get(name)!;
    expect(handled.get('afterwards'), 'messages sent afterwards').to.be.at.least(10);
    return [...handled].filter(([body]) => body !== 'afterwards').map(([, times]) => times);
  };

  for (const name of Object.keys(once)) {
    it(`${name} does not lose or repeat messages, and polling continues`, async () => {
      expect(await timesHandled(name)).to.deep.equal(Array(MESSAGES).fill(1));
    });
  }

  for (const name of Object.keys(repeatedly)) {
    it(`${name} does not lose messages, and polling continues`, async () => {
      const times = await timesHandled(name);
      expect(times).to.have.length(MESSAGES);
      // A copy delivered together with its message is deleted, not run, if the message was handled by its turn.
      expect(Math.max(...times)).to.be.within(name === 'delivers messages twice' ? 1 : 2, 4);
    });
  }

  it('throttles is reported each time, and once when it recovers', async () => {
    const { failures, recoveries } = await ended.get('throttles')!;
    expect([failures, recoveries]).to.deep.equal([4, 1]);
  });
});
