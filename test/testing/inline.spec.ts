import { expect } from 'chai';
import sinon from 'sinon';
import {
  type BatchError,
  currentContext,
  currentMessage,
  Retry,
  runWithContext,
  taskQueue,
} from '../../src/index.ts';
import { type Inline, runInline } from '../../src/testing/inline.ts';
import { rejection } from '../support/rejection.ts';

describe('inline tasks', () => {
  const inlined = taskQueue('inlined');
  let clock: sinon.SinonFakeTimers;
  let inline: Inline;
  let done: unknown[];

  beforeEach(() => {
    // Nothing advances this clock, so anything that waits for time never ends.
    clock = sinon.useFakeTimers({ toNotFake: ['nextTick', 'queueMicrotask'] });
    inline = runInline();
    done = [];
  });
  afterEach(() => {
    inline.stop();
    clock.restore();
  });

  it('have run when delay resolves, with their context and their message', async () => {
    const mail = inlined.task('mail', ({ to }: { readonly to: string }) => {
      done.push(to, currentContext(), currentMessage().body);
    });
    const { messageId } = await runWithContext({ requestId: 'r1' }, () => mail.delay({ to: 'ann' }));
    expect(done).to.deep.equal(['ann', { requestId: 'r1' }, '{"to":"ann"}']);
    expect(inline.handled.map(({ id }) => id)).to.deep.equal([messageId]);
  });

  it('also run the tasks that they send', async () => {
    const second = inlined.task('second', () => void done.push('second'));
    const first = inlined.task('first', async () => {
      await second.delay();
      done.push('first');
    });
    await first.delay();
    expect(done).to.deep.equal(['second', 'first']);
  });

  it('do not wait for delays, limits or other messages', async () => {
    const options = { rate: { count: 1, seconds: 60 }, size: 10, wait: 60 };
    const handle = (inputs: readonly { n: number }[]) => void done.push(inputs);
    const many = inlined.batchTask('many', handle, options);
    for (const n of [1, 2]) await many.with({ delaySeconds: 900 }).delay({ n });
    expect(done).to.deep.equal([[{ n: 1 }], [{ n: 2 }]]);
  });

  it('fail individually when many are sent together', async () => {
    const picky = inlined.task('picky', ({ n }: { readonly n: number }) => {
      if (n === 1) throw new RangeError('not one');
      done.push(n);
    });
    const error = (await rejection(
      inlined.batch(() => {
        for (const n of [0, 1, 2]) void picky.delay({ n });
      }),
    )) as BatchError;
    expect(error.errors.map(String)).to.deep.equal(['RangeError: not one']);
    expect(done).to.deep.equal([0, 2]);
  });

  it('run once if a FIFO queue drops the duplicate', async () => {
    const once = taskQueue('inlined.fifo').task('once', () => void done.push('once'));
    for (const _ of [1, 2]) await once.with({ deduplicationId: 'd' }).delay();
    expect(done).to.deep.equal(['once']);
  });

  it('throw the error of their handler', async () => {
    const failing = inlined.task('failing', () => {
      throw new RangeError('no such user');
    });
    const busy = inlined.task('busy', () => {
      throw new Retry('busy');
    });
    expect(await rejection(failing.delay()))
      .to.be.instanceOf(RangeError)
      .with.property('message', 'no such user');
    expect(await rejection(busy.delay())).to.have.property('message', 'busy');
  });
});
