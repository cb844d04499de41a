import { expect } from 'chai';
import type { Message } from '../../src/brokers/broker.ts';
import { MalformedMessageError } from '../../src/message/call.ts';
import { silentLog } from '../../src/worker/current-message.ts';
import { createWorker, WorkerFactoryError } from '../../src/worker/worker.ts';
import { rejection } from '../support/rejection.ts';
import * as workers from './fixtures/workers.ts';

const context = { directory: '/app', log: silentLog };

const message = (body: string): Message => ({
  id: '1',
  body,
  receiptHandle: 'r',
  receiveCount: 1,
  attributes: {},
  sentAt: 0,
});

async function handle(factory: unknown, body = '[[1,2],{"x":3}]'): Promise<unknown[]> {
  const worker = await createWorker(factory, { name: 'w' }, 'module:expr', context);
  workers.calls.length = 0;
  await worker.handleMessage(message(body));
  return workers.calls[0] as unknown[];
}

function failure(factory: unknown): Promise<Error> {
  return rejection(createWorker(factory, {}, './m.ts:expr', context));
}

describe('making a worker', () => {
  it('calls the factory with the [worker] section, and the function with the arguments of the call', async () => {
    expect(await handle(workers.plain)).to.deep.equal(['w', 1, 2, { x: 3 }]);
    expect(await handle(workers.plain, '[[1,2],{}]')).to.deep.equal(['w', 1, 2]);
  });

  it('calls the function with the arguments of a call in base64', async () => {
    expect(await handle(workers.plain, 'W1sxLCAyXSwgeyJ4IjogM31d')).to.deep.equal(['w', 1, 2, { x: 3 }]);
  });

  it('waits for a factory that is async', async () => {
    expect(await handle(workers.slow)).to.deep.equal(['w', 1, 2, { x: 3 }]);
  });

  it('constructs a class, and calls its method "handle" or its only one', async () => {
    expect(await handle(workers.Adder)).to.deep.equal(['class w', 1, 2, { x: 3 }]);
    expect(await handle(workers.Two)).to.deep.equal(['handle', 1, 2, { x: 3 }]);
  });

  it('keeps the afterMessage of a worker object', async () => {
    const worker = await createWorker(workers.Adder, {}, 'module:expr', context);
    workers.calls.length = 0;
    await worker.afterMessage?.();
    expect(workers.calls).to.deep.equal([['after']]);
  });

  it('passes the raw message to a worker with handleMessage', async () => {
    expect(await handle(workers.raw, 'anything')).to.deep.equal(['raw', 'anything']);
  });

  it('throws on a body that is not a call before the worker sees it', async () => {
    const worker = await createWorker(workers.plain, {}, 'module:expr', context);
    expect(() => worker.handleMessage(message('{}'))).to.throw(MalformedMessageError);
  });

  it('reports an export that is not a function', async () => {
    const error = await failure(workers.number);
    expect(error).to.be.instanceOf(WorkerFactoryError);
    expect(error.message).to.equal(
      './m.ts:expr is the number 7, not a function: it should be a worker factory, (config) => (…args) => …, or a class.',
    );
  });

  it('reports why a factory failed, and keeps the cause', async () => {
    const error = await failure(workers.failing);
    expect(error.message).to.equal('The worker factory ./m.ts:expr failed: no database');
    expect(error.cause).to.be.instanceOf(Error);
  });

  it('reports what a factory should have returned', async () => {
    for (const [factory, what] of [
      [workers.nothing, 'undefined'],
      [() => 5, 'the number 5'],
      [() => ({ run() {} }), 'an object'],
      [class Empty {}, 'an object'],
    ] as const) {
      expect((await failure(factory)).message).to.equal(
        `The worker factory ./m.ts:expr returned ${what}: it should return a function that takes the arguments of a call, or an object with a method "handle".`,
      );
    }
  });
});
