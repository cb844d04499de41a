import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { TestContainer } from '../../containers/test.ts';
import { currentMessage, queue, SendError, TransientError, type WorkerConfig } from '../../src/index.ts';
import { rejection } from '../support/rejection.ts';

const realSleep = globalThis.setTimeout;

describe('the test container', () => {
  const started: TestContainer[] = [];
  async function start(...args: Parameters<typeof TestContainer.start>): Promise<TestContainer> {
    const container = await TestContainer.start(...args);
    started.push(container);
    return container;
  }
  afterEach(async () => {
    sinon.restore();
    for (const container of started.splice(0)) await container.stop();
  });

  describe('made of objects', () => {
    it('runs the worker on sent messages and shows their results', async () => {
      const add = sinon.spy();
      const container = await start({ queue: 'adder', worker: () => add });
      const sent = await queue<[number, { x: number }]>('adder')(1, { x: 3 });
      expect(sent.body).to.equal('[[1],{"x":3}]');
      await container.idle();
      expect(add.args).to.deep.equal([[1, { x: 3 }]]);
      expect(container.deleted).to.deep.equal([
        { queue: 'adder', messageId: sent.messageId, body: '[[1],{"x":3}]', receiveCount: 1 },
      ]);
      expect([container.kept, container.failed, container.messagesLog]).to.deep.equal([[], [], []]);
    });

    it('accepts classes and async factories, and passes them their config', async () => {
      const made: unknown[] = [];
      class Adder {
        constructor(config: WorkerConfig) {
          made.push(config);
        }
        add() {}
      }
      await start({ queue: 'a', worker: Adder, config: { scale: '2' } });
      await start({
        queue: 'b',
        worker: async (config) => {
          made.push(config);
          return () => {};
        },
      });
      expect(made).to.deep.equal([{ scale: '2' }, {}]);
    });

    it('without a worker leaves sent messages in the queue', async () => {
      const container = await start({ queue: 'adder' });
      const sent = await queue('adder')(1, 2);
      await container.idle();
      expect(sent).to.have.property('body', '[[1,2],{}]');
      expect(sent.messageId).to.match(/^[0-9a-f-]{36}$/);
      expect(container.deleted).to.deep.equal([]);
    });

    it('records each message in one list: deleted, kept or failed', async () => {
      const container = await start({
        queue: 'work',
        worker: () => (what: string) => {
          if (what === 'busy') throw new TransientError('busy');
          if (what === 'bad') throw new Error('bad');
        },
      });
      const work = queue('work');
      await work.batch([['good'], ['busy'], ['bad']]);
      await container.send('work', 'not a call');
      await container.idle();
      const bodies = (list: readonly { body: string }[]) => list.map(({ body }) => body);
      expect(bodies(container.deleted)).to.deep.equal(['[["good"],{}]']);
      expect(bodies(container.kept)).to.deep.equal(['[["busy"],{}]']);
      expect(bodies(container.failed)).to.deep.equal(['[["bad"],{}]', 'not a call']);
      expect(container.messagesLog).to.deep.equal(['[["bad"],{}]', 'not a call']);
      expect(container.failed[0]?.error).to.have.property('message', 'bad');
      expect(container.kept[0]?.error).to.have.property('message', 'busy');
    });

    it('reads calls in base64, and keeps the original bodies of failed messages', async () => {
      const add = sinon.stub();
      add.withArgs('bad').throws(new Error('bad'));
      const container = await start({ queue: 'work', worker: () => add });
      await container.send('work', 'W1sxLCAyXSwgeyJ4IjogM31d');
      for (const body of ['W1siYmFkIl0sIHt9XQ==\n', 'WzFd']) await container.send('work', body);
      await container.idle();
      expect(add.args).to.deep.equal([[1, 2, { x: 3 }], ['bad']]);
      expect(container.messagesLog).to.deep.equal(['W1siYmFkIl0sIHt9XQ==\n', 'WzFd']);
      expect(container.failed[1]?.error)
        .to.have.property('message')
        .that.includes('The body, decoded from base64, is not [args, kwargs]');
    });

    it('keeps failed messages with onError: retry', async () => {
      const worker = () => () => {
        throw new Error('bad');
      };
      const container = await start({ queue: 'work', worker, onError: 'retry' });
      await queue('work')();
      await container.idle();
      expect([container.kept.length, container.failed.length, container.messagesLog.length]).to.deep.equal([
        1, 0, 0,
      ]);
    });

    it('waits in idle() for workers that do real I/O', async () => {
      let done = 0;
      const worker = () => async () => {
        await new Promise((resolve) => realSleep(resolve, 5));
        done += 1;
      };
      const container = await start({ queue: 'work', worker });
      await queue('work').batch([[1], [2], [3]]);
      await container.idle();
      expect(done).to.equal(3);
    });

    it('keeps the order of a FIFO queue', async () => {
      const order: number[] = [];
      const container = await start({ queue: 'work.fifo', worker: () => (n: number) => void order.push(n) });
      await queue<[number]>('work.fifo').batch([[1], [2], [3]]);
      await container.idle();
      expect(order).to.deep.equal([1, 2, 3]);
    });

    it('provides currentMessage()', async () => {
      const asked: unknown[] = [];
      const worker = () => () => void asked.push(currentMessage().queue, currentMessage().receiveCount);
      const container = await start({ queue: 'work', worker });
      await queue('work')();
      await container.idle();
      expect(asked).to.deep.equal(['work', 1]);
    });

    it('throws errors of afterMessage in idle(), because nothing else would show them', async () => {
      const worker = () => ({
        handle() {},
        afterMessage() {
          throw new Error('not closed');
        },
      });
      const container = await start({ queue: 'work', worker });
      await queue('work')();
      let error: unknown;
      await container.idle().catch((reason) => {
        error = reason;
      });
      expect(error).to.have.property('message', 'not closed');
      expect(container.deleted).to.have.length(1);
    });
  });

  describe('with several running', () => {
    it('delivers messages between them, and idle() waits for all of them', async () => {
      const mails: string[] = [];
      const mailer = await start({ queue: 'mails', worker: () => (to: string) => void mails.push(to) });
      const orders = await start({
        queue: 'orders',
        worker: () => (to: string) => queue('mails')(to).then(() => {}),
      });
      await queue('orders')('a@b');
      await orders.idle();
      expect(mails).to.deep.equal(['a@b']);
      expect([orders.deleted.length, mailer.deleted.length]).to.deep.equal([1, 1]);
    });

    it('keeps the others running when one is stopped', async () => {
      const one = await start({ queue: 'one', worker: () => () => {} });
      const two = await start({ queue: 'two', worker: () => () => {} });
      await one.stop();
      await queue('two')();
      await queue('one')();
      await two.idle();
      expect([one.deleted.length, two.deleted.length]).to.deep.equal([0, 1]);
    });
  });

  describe('on a fake clock', () => {
    let clock: sinon.SinonFakeTimers;
    beforeEach(() => {
      clock = sinon.useFakeTimers();
    });

    it('redelivers a kept message when its visibility timeout ends', async () => {
      const worker = () => () => {
        throw new TransientError();
      };
      const container = await start({ queue: 'work', worker, visibilityTimeout: 60 });
      await queue('work')();
      await container.idle();
      await clock.tickAsync(59_999);
      await container.idle();
      expect(container.kept).to.have.length(1);
      await clock.tickAsync(1);
      await container.idle();
      expect(container.kept.map(({ receiveCount }) => receiveCount)).to.deep.equal([1, 2]);
    });

    it("redelivers it after the error's own delay", async () => {
      let failures = 1;
      const worker = () => () => {
        if (failures-- > 0) throw new TransientError({ delay: 5 });
      };
      const container = await start({ queue: 'work', worker });
      await queue('work')();
      await container.idle();
      await clock.tickAsync(5_000);
      await container.idle();
      expect([container.kept.length, container.deleted.length]).to.deep.equal([1, 1]);
    });

    it('delivers a delayed message when its delay is over', async () => {
      const container = await start({ queue: 'work', worker: () => () => {} });
      await queue('work').with({ delaySeconds: 10 })();
      await container.idle();
      expect(container.deleted).to.have.length(0);
      await clock.tickAsync(10_000);
      await container.idle();
      expect(container.deleted).to.have.length(1);
    });

    it('waits in idle() for a worker that waits for the clock', async () => {
      const worker = () => () => new Promise<void>((resolve) => setTimeout(resolve, 1000));
      const container = await start({ queue: 'work', worker });
      await queue('work')();
      const idle = container.idle();
      await clock.tickAsync(1000);
      await idle;
      expect(container.deleted).to.have.length(1);
    });

    it('keeps the lease of a worker that takes hours', async () => {
      const worker = () => () => new Promise<void>((resolve) => setTimeout(resolve, 3 * 3_600_000));
      const container = await start({ queue: 'work', worker });
      await queue('work')();
      const idle = container.idle();
      await clock.tickAsync('03:00:00');
      await idle;
      expect(container.deleted.map(({ receiveCount }) => receiveCount)).to.deep.equal([1]);
    });

    it('leaves no timer behind', async () => {
      const container = await start({ queue: 'work', worker: () => () => {} });
      await queue('work')();
      await queue('work').with({ delaySeconds: 100 })();
      await container.idle();
      await container.stop();
      expect(clock.countTimers()).to.equal(0);
    });
  });

  describe('stopped', () => {
    it('leaves no message behind', async () => {
      await (await start({ queue: 'work' })).send('work', '[[],{}]');
      await started[0]?.stop();
      const container = await start({ queue: 'work', worker: () => () => {} });
      await container.idle();
      expect(container.deleted).to.have.length(0);
    });

    it('restores the real brokers of producers', async () => {
      const producer = queue('work', { broker: 'nowhere:' });
      const container = await start({ queue: 'work' });
      await producer();
      await container.stop();
      let error: unknown;
      await producer().catch((reason) => {
        error = reason;
      });
      expect(error).to.have.property('message').that.includes('nowhere:');
    });

    it('can be stopped again', async () => {
      const container = await start({ queue: 'work' });
      await container.stop();
      await container.stop();
    });

    it('aborts the signal of a running worker, and waits for it', async () => {
      let aborted = false;
      const worker = () => () => {
        const { signal } = currentMessage();
        return new Promise<void>((_, reject) =>
          signal.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          }),
        );
      };
      const container = await start({ queue: 'work', worker });
      await queue('work')();
      await new Promise((resolve) => realSleep(resolve, 5));
      await container.stop();
      expect(aborted).to.equal(true);
    });

    it('names the worker that does not return', async () => {
      const container = await TestContainer.start({
        queue: 'work',
        worker: () => () => new Promise<void>(() => {}),
      });
      await queue('work')();
      await new Promise((resolve) => realSleep(resolve, 5));
      let error: unknown;
      await container.stop().catch((reason) => {
        error = reason;
      });
      expect(error).to.have.property('message').that.includes('The worker of queue "work" is still running');
    });

    it('does not start when the worker factory throws', async () => {
      let error: unknown;
      const worker = () => {
        throw new Error('no database');
      };
      await TestContainer.start({ queue: 'work', worker }).catch((reason) => {
        error = reason;
      });
      expect(error).to.have.property('message').that.includes('no database');
      const producer = queue('work', { broker: 'nowhere:' });
      await producer().catch((reason) => {
        error = reason;
      });
      expect(error).to.have.property('message').that.includes('nowhere:');
    });
  });

  describe('from a production ini file', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'test-container-'));
      writeFileSync(
        join(folder, 'adder.mjs'),
        `export const results = [];
         export const adder = ({ scale }) => (a, b) => { results.push(Number(scale) * (a + b)); };`,
      );
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    it('runs its worker with its settings, ignoring its broker and limits', async () => {
      const file = join(folder, 'worker.ini');
      writeFileSync(
        file,
        `[container]
         worker = ./adder.mjs:adder
         queue = https://sqs.eu-west-1.amazonaws.com/123456789012/adder
         broker = sqs
         message_limit = 1
         idle_exit = 1
         [worker]
         scale = 10
         [logger]
         path = worker.log`.replace(/^ +/gm, ''),
      );
      const container = await start(file);
      await queue('adder')(1, 2);
      await queue('https://sqs.eu-west-1.amazonaws.com/123456789012/adder')(3, 4);
      await container.idle();
      const { results } = (await import(join(folder, 'adder.mjs'))) as { results: number[] };
      expect(results).to.deep.equal([30, 70]);
      expect(container.deleted).to.have.length(2);
    });

    for (const [broker, longest] of [
      ['sqs', 900],
      ['sqlite:queues.db', 365 * 86_400],
    ] as const) {
      it(`accepts the delays of ${broker}: up to ${longest} s`, async () => {
        const file = join(folder, 'worker.ini');
        const lines = ['[container]', 'worker = ./adder.mjs:adder', 'queue = adder', `broker = ${broker}`];
        writeFileSync(file, lines.join('\n'));
        await start(file);
        await queue('adder').with({ delaySeconds: longest })(1, 2);
        const tooLong = queue('adder').with({ delaySeconds: longest + 1 })(1, 2);
        expect(await rejection(tooLong)).to.be.instanceOf(SendError);
      });
    }
  });
});
