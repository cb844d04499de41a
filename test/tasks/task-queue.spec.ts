import { expect } from 'chai';
import sinon from 'sinon';
import * as v from 'valibot';
import * as z from 'zod';
import { TestContainer } from '../../containers/test.ts';
import {
  BatchError,
  configureTasks,
  constantBackoff,
  currentContext,
  currentMessage,
  exponentialBackoff,
  jsonCodec,
  Retry,
  runWithContext,
  TaskInputError,
  TransientError,
  taskQueue,
  UnserializableArgumentError,
} from '../../src/index.ts';
import { worker } from '../../src/tasks/worker.ts';
import { rejection } from '../support/rejection.ts';

describe('a task queue', () => {
  let clock: sinon.SinonFakeTimers;
  let container: TestContainer;
  /** The inputs that the handlers recorded. */
  let done: unknown[];
  let queues = 0;
  /** A name that no other spec uses: tasks stay registered. */
  let name: string;

  beforeEach(async () => {
    clock = sinon.useFakeTimers({ toNotFake: ['nextTick', 'queueMicrotask'] });
    done = [];
    queues += 1;
    name = `tasks-${queues}`;
    taskQueue(name);
    container = await TestContainer.start({ queue: name, worker, concurrency: 10 });
  });
  afterEach(async () => {
    await container.stop();
    configureTasks({ backoff: exponentialBackoff(), middleware: [], contentType: 'json' });
    clock.restore();
  });

  describe('sends a task', () => {
    it('that runs in the container', async () => {
      const mail = taskQueue(name).task('mail', async (email: { to: string }) => void done.push(email));
      const sent = await mail.delay({ to: 'a@b' });
      await container.idle();
      expect(sent.body).to.equal('{"to":"a@b"}');
      expect(done).to.deep.equal([{ to: 'a@b' }]);
      expect(container.deleted.map(({ messageId }) => messageId)).to.deep.equal([sent.messageId]);
    });

    it('without an input if none is required', async () => {
      const tidy = taskQueue(name).task('tidy', (given: { deep?: boolean }) => void done.push(given));
      await tidy.delay();
      await container.idle();
      expect(done).to.deep.equal([{}]);
    });

    it('with a delay, attributes, and other message options', async () => {
      const tidy = taskQueue(name).task(
        'tidy',
        () => void done.push(currentMessage().attributes.tenant?.stringValue),
      );
      await tidy
        .with({ delaySeconds: 5, attributes: { tenant: { dataType: 'String', stringValue: 't1' } } })
        .delay();
      await container.idle();
      expect(done).to.deep.equal([]);
      await clock.tickAsync(5_000);
      await container.idle();
      expect(done).to.deep.equal(['t1']);
    });

    it('that was baked, when asked to', async () => {
      const mail = taskQueue(name).task('mail', (email: { to: string }) => void done.push(email.to));
      const baked = mail.bake({ to: 'a' });
      await container.idle();
      expect(done).to.deep.equal([]);
      await baked.delay();
      await baked.delay({ delaySeconds: 1 });
      await baked.run();
      await container.idle();
      expect(done).to.deep.equal(['a', 'a']);
    });

    it('that is handled elsewhere, and unknown here', async () => {
      const queue = taskQueue(name);
      const mail = queue.task<{ to: string }>('mail', null);
      const checked = queue.task('checked', null, { schema: z.object({ to: z.string() }) });
      const text = queue.rawTask(null);
      expect((await mail.delay({ to: 'a' })).body).to.equal('{"to":"a"}');
      expect(await rejection(checked.delay({ to: 7 } as never))).to.be.instanceOf(TaskInputError);
      expect((await text.delay('hello')).body).to.equal('hello');
      await container.idle();
      expect(container.kept.map(({ error }) => (error as Error).name)).to.deep.equal([
        'UnknownTaskError',
        'UnknownTaskError',
      ]);
      expect((await rejection(mail.run({ to: 'a' }))).message).to.equal(
        'The task "mail" has no handler here: it can only be sent.',
      );
    });

    it('but not when called like a function, and says what to do instead', () => {
      const mail = taskQueue(name).task('mail', (_: { to: string }) => {});
      expect(() => mail({ to: 'a' })).to.throw(TypeError, 'mail.delay(…), or run it here with mail.run(…)');
    });

    it('but not with an input that JSON cannot represent', async () => {
      const mail = taskQueue(name).task('mail', (_: { to: unknown }) => {});
      expect(await rejection(mail.delay({ to: () => {} }))).to.be.instanceOf(UnserializableArgumentError);
    });

    it('but not with a delay longer than the broker supports, and suggests a scheduler', async () => {
      const mail = taskQueue(name).task('mail', () => {});
      expect((await rejection(mail.with({ delaySeconds: 3600 }).delay())).message).to.contain(
        'EventBridge Scheduler',
      );
    });
  });

  describe('with a schema', () => {
    it("of zod passes the schema's output to the handler", async () => {
      const schema = z.object({ at: z.coerce.date<string>() });
      const remind = taskQueue(name).task('remind', ({ at }) => void done.push(at.getUTCFullYear()), {
        schema,
      });
      await remind.delay({ at: '2026-11-21' });
      await container.idle();
      expect(done).to.deep.equal([2026]);
    });

    it('of valibot refuses an invalid input before it is sent, naming each problem', async () => {
      const schema = v.object({ to: v.pipe(v.string(), v.email()), copies: v.number() });
      const mail = taskQueue(name).task('mail', () => void done.push('sent'), { schema });
      const error = (await rejection(mail.delay({ to: 'nobody', copies: 'two' } as never))) as TaskInputError;
      expect(error).to.be.instanceOf(TaskInputError);
      expect(error.issues).to.have.length(2);
      expect(error.message).to.match(/^Invalid input for task "mail": to: .*; copies: /);
      await container.idle();
      expect(container.deleted).to.deep.equal([]);
    });

    it('keeps a message with an invalid input', async () => {
      taskQueue(name).task('mail', () => void done.push('sent'), { schema: z.object({ to: z.string() }) });
      const JobName = { dataType: 'String', stringValue: 'mail' };
      await container.send(name, '{"to": 7}', { attributes: { JobName } });
      await container.idle();
      expect(done).to.deep.equal([]);
      expect(container.kept[0]?.error).to.be.instanceOf(TaskInputError);
    });

    it('also validates the input of run', async () => {
      const mail = taskQueue(name).task('mail', () => {}, { schema: z.object({ to: z.string() }) });
      expect(await rejection(mail.run({ to: 7 } as never))).to.be.instanceOf(TaskInputError);
    });
  });

  describe('without a schema', () => {
    const wrong = ['text', 7, null, [1, 2]];

    it('sends only an object with named arguments', async () => {
      const mail = taskQueue(name).task('mail', (_: { to: string }) => {});
      for (const input of wrong) {
        expect(await rejection(mail.delay(input as never)))
          .to.be.instanceOf(TaskInputError)
          .with.property(
            'message',
            'Invalid input for task "mail": a task takes one object with named arguments',
          );
      }
    });

    it('keeps a message without such an object', async () => {
      taskQueue(name).task('mail', () => void done.push('sent'));
      taskQueue(name).batchTask('mails', () => void done.push('sent'), { size: 1 });
      for (const JobName of ['mail', 'mails']) {
        const attributes = { JobName: { dataType: 'String', stringValue: JobName } };
        for (const input of wrong) await container.send(name, JSON.stringify(input), { attributes });
      }
      await container.idle();
      expect(done).to.deep.equal([]);
      expect(container.kept.map(({ error }) => (error as Error).name)).to.deep.equal(
        Array(8).fill('TaskInputError'),
      );
    });
  });

  it('refuses options with which a task would never run', () => {
    const queue = taskQueue(name);
    const define = (options: object) => () => queue.batchTask('mail', () => {}, options);
    expect(define({ concurrency: 0 })).to.throw(
      RangeError,
      'The concurrency of the task "mail" must be a whole number, 1 or more, not 0.',
    );
    for (const wrong of [
      { concurrency: Number.NaN },
      { rate: { count: 0.5, seconds: 1 } },
      { rate: { count: 1, seconds: 0 } },
      { size: 0 },
      { wait: -1 },
    ]) {
      expect(define(wrong), JSON.stringify(wrong)).to.throw(RangeError, 'of the task "mail" must be');
    }
    expect(() => queue.task('', () => {})).to.throw(RangeError, 'A task needs a name');
    expect(() => queue.rawTask(() => {}, { concurrency: 0 })).to.throw(RangeError, 'The concurrency');
  });

  describe('whose handler fails', () => {
    const failing = () => {
      throw new Error('no such user');
    };

    it('retries after 1, 2, 4, 8 … seconds, whatever on_error is', async () => {
      configureTasks({ backoff: exponentialBackoff({ spread: 0 }) });
      await taskQueue(name).task('mail', failing).delay();
      for (const [seconds, attempts] of [
        [0, 1],
        [1, 2],
        [2, 3],
        [4, 4],
        [8, 5],
      ] as const) {
        await clock.tickAsync(seconds * 1000);
        await container.idle();
        expect(container.kept).to.have.length(attempts);
      }
      expect(container.kept[0]?.error).to.have.property('message', 'no such user');
    });

    it('uses the backoff of the task, else of the queue, else the default', async () => {
      const constant = (base: number) => constantBackoff({ base, spread: 0 });
      configureTasks({ backoff: constant(30) });
      await taskQueue(name, { backoff: constant(20) })
        .task('a', failing, { backoff: constant(10) })
        .delay();
      await container.idle();
      await clock.tickAsync(10_000);
      await container.idle();
      expect(container.kept).to.have.length(2);

      const other = taskQueue(`${name}-other`, { backoff: constant(20) });
      const second = await TestContainer.start({ queue: other.name, worker });
      await other.task('b', failing).delay();
      await second.idle();
      await clock.tickAsync(19_999);
      expect(second.kept).to.have.length(1);
      await clock.tickAsync(1);
      await second.idle();
      expect(second.kept).to.have.length(2);
      await second.stop();
    });

    it('uses the backoff of a Retry, and the delay of a TransientError', async () => {
      const queue = taskQueue(name, { backoff: constantBackoff({ base: 100, spread: 0 }) });
      const retry = queue.task('retry', () => {
        throw new Retry('busy', { backoff: constantBackoff({ base: 3, spread: 0 }) });
      });
      const transient = queue.task('transient', () => {
        throw new TransientError('busy', { delay: 5 });
      });
      await retry.delay();
      await transient.delay();
      await container.idle();
      expect(container.kept).to.have.length(2);
      await clock.tickAsync(3_000);
      await container.idle();
      expect(container.kept).to.have.length(3);
      await clock.tickAsync(2_000);
      await container.idle();
      expect(container.kept).to.have.length(4);
    });

    it('throws from run', async () => {
      expect((await rejection(taskQueue(name).task('mail', failing).run())).message).to.equal('no such user');
    });
  });

  describe('has a context', () => {
    it('that travels with the task to its handler', async () => {
      const queue = taskQueue(name);
      const second = queue.task('second', () => void done.push(currentContext()));
      const first = queue.task('first', async () => void (await second.delay()));
      await runWithContext({ requestId: 'r1' }, () => runWithContext({ user: 7 }, () => first.delay()));
      await container.idle();
      expect(done).to.deep.equal([{ requestId: 'r1', user: 7 }]);
      expect(currentContext()).to.deep.equal({});
    });

    it("that is empty if the task was sent without one, whatever the container's context is", async () => {
      const served = `${name}-served`;
      const mail = taskQueue(served).task('mail', () => void done.push(currentContext()));
      const inContext = await runWithContext({ requestId: 'r1' }, () =>
        TestContainer.start({ queue: served, worker }),
      );
      await mail.delay();
      await runWithContext({ requestId: 'r2' }, () => mail.delay());
      await inContext.idle();
      await inContext.stop();
      expect(done).to.deep.equal([{}, { requestId: 'r2' }]);
    });
  });

  describe('has middleware', () => {
    it('around every handler, the default ones outermost', async () => {
      const log = (label: string) => async (invocation: { task: string }, next: () => Promise<void>) => {
        done.push(`${label} ${invocation.task}`);
        await next();
        done.push(`${label} done`);
      };
      configureTasks({ middleware: [log('outer')] });
      const mail = taskQueue(name, { middleware: [log('inner')] }).task(
        'mail',
        () => void done.push('handled'),
      );
      await mail.delay();
      await container.idle();
      expect(done).to.deep.equal(['outer mail', 'inner mail', 'handled', 'inner done', 'outer done']);
    });

    it('that may fail the call, or swallow its error', async () => {
      const queue = taskQueue(name, {
        middleware: [
          async (_, next) => {
            await next().catch((error) => done.push(error.message));
          },
        ],
      });
      await queue
        .task('mail', () => {
          throw new Error('swallowed');
        })
        .delay();
      await container.idle();
      expect(done).to.deep.equal(['swallowed']);
      expect(container.deleted).to.have.length(1);
    });
  });

  describe('in a batch', () => {
    it('sends ten per request, without awaiting each', async () => {
      const mail = taskQueue(name).task('mail', ({ n }: { n: number }) => void done.push(n));
      const sent = await taskQueue(name).batch(() => {
        for (let n = 0; n < 25; n += 1) void mail.delay({ n });
      });
      expect(sent).to.have.length(25);
      await container.idle();
      expect(done).to.have.length(25);
    });

    it('reports unsent messages as one error that contains them', async () => {
      const queue = taskQueue(name);
      const mail = queue.task('mail', (_: { text: string }) => {});
      const error = (await rejection(
        queue.batch(async () => {
          void mail.delay({ text: 'x'.repeat(1_100_000) });
          void mail.delay({ text: 'fits' });
        }),
      )) as BatchError;
      expect(error).to.be.instanceOf(BatchError);
      expect(error.errors[0].outgoing.body).to.have.length.above(1_100_000);
      await container.idle();
      expect(container.deleted).to.have.length(1);
    });
  });

  describe('reads in batches', () => {
    it('up to the size, or as many as have arrived in time', async () => {
      const batches: number[][] = [];
      const count = taskQueue(name).batchTask(
        'count',
        (inputs: readonly { n: number }[]) => void batches.push(inputs.map(({ n }) => n)),
        { size: 4, wait: 2 },
      );
      await Promise.all([1, 2, 3, 4, 5, 6].map((n) => count.delay({ n })));
      const idle = container.idle();
      await clock.tickAsync(2_000);
      await idle;
      expect(batches).to.deep.equal([
        [1, 2, 3, 4],
        [5, 6],
      ]);
      expect(container.deleted).to.have.length(6);
    });

    it('with the context and the current message of the first', async () => {
      const count = taskQueue(name).batchTask(
        'count',
        (_: readonly { n: number }[]) => void done.push(currentContext(), currentMessage().body),
        { size: 2, wait: 2 },
      );
      for (const n of [1, 2, 3]) await runWithContext({ n }, () => count.delay({ n }));
      const idle = container.idle();
      await clock.tickAsync(2_000);
      await idle;
      expect(done).to.deep.equal([{ n: 1 }, '{"n":1}', { n: 3 }, '{"n":3}']);
    });

    it('or a single input for run', async () => {
      const one = taskQueue(name).batchTask('one', (inputs: readonly { text: string }[], messages) => {
        done.push(inputs, messages);
        return { failed: inputs[0]?.text === 'bad' ? [0] : [] };
      });
      await one.run({ text: 'good' });
      expect(done).to.deep.equal([[{ text: 'good' }], []]);
      expect(await rejection(one.run({ text: 'bad' }))).to.have.property('name', 'BatchEntryError');
    });

    it('and retries all of them if the handler throws, or only those that it reports', async () => {
      const [throwing, naming, lambda] = ['throwing', 'naming', 'lambda'];
      const queue = taskQueue(name, { backoff: constantBackoff({ base: 1000, spread: 0 }) });
      const all = queue.batchTask(
        throwing,
        () => {
          throw new Error('all');
        },
        { size: 2 },
      );
      const one = queue.batchTask(naming, () => ({ failed: [1] }), { size: 2 });
      const byId = queue.batchTask(
        lambda,
        (_inputs, messages) => ({
          batchItemFailures: [{ itemIdentifier: messages[0]?.id ?? '' }],
        }),
        { size: 2 },
      );
      for (const task of [all, one, byId]) await Promise.all([task.delay(), task.delay()]);
      await container.idle();
      expect([container.kept.length, container.deleted.length]).to.deep.equal([4, 2]);
    });
  });

  describe('handles raw messages', () => {
    it('validated by a schema', async () => {
      const schema = z.object({ at: z.coerce.date<string>() });
      const events = taskQueue(name).rawTask(({ at }) => void done.push(at.getUTCFullYear()), {
        codec: jsonCodec,
        schema,
      });
      await events.delay({ at: '2026-11-21' });
      await container.send(name, '{"at":"never"}');
      await container.idle();
      expect(done).to.deep.equal([2026]);
      expect(container.kept[0]?.error).to.be.instanceOf(TaskInputError);
    });

    it('from other programs, as text or with a codec', async () => {
      const events = taskQueue(name).rawTask<{ detail: string }>(
        (event, message) => void done.push(event.detail, message.body),
        { codec: jsonCodec },
      );
      await container.send(name, '{"detail":"created"}');
      await events.delay({ detail: 'sent' });
      await container.idle();
      expect(done).to.deep.equal(['created', '{"detail":"created"}', 'sent', '{"detail":"sent"}']);
    });

    it('and sends them with the given attributes only', async () => {
      const tenant = { dataType: 'String', stringValue: 't1' };
      const texts = taskQueue(name).rawTask((_, { attributes }) => void done.push(attributes));
      await texts.delay('plain');
      await texts.with({ attributes: { tenant } }).delay('with a tenant');
      await container.idle();
      expect(done).to.deep.equal([{}, { tenant }]);
    });

    it('but leaves tasks with unknown names to others', async () => {
      taskQueue(name).rawTask(() => void done.push('raw'));
      const JobName = { dataType: 'String', stringValue: 'elsewhere' };
      await container.send(name, '{}', { attributes: { JobName } });
      await container.idle();
      expect(done).to.deep.equal([]);
      expect(container.kept[0]?.error).to.have.property('name', 'UnknownTaskError');
    });
  });

  it('serves its dead-letter queue with the same tasks', async () => {
    const mail = taskQueue(name, { deadLetterQueue: `${name}-dead` }).task(
      'mail',
      () => void done.push('mailed'),
    );
    const dead = await TestContainer.start({ queue: `${name}-dead`, worker });
    const { attributes } = { attributes: { JobName: { dataType: 'String', stringValue: mail.taskName } } };
    await dead.send(`${name}-dead`, '{}', { attributes });
    await dead.idle();
    expect(done).to.deep.equal(['mailed']);
    await dead.stop();
  });
});
