/** What docs/tasks.md says, run. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import sinon from 'sinon';
import { worker } from 'sqs-containers/tasks';
import { TestContainer } from 'sqs-containers/test';
import { view } from '../../docs/code/tasks/batches.ts';
import { archive } from '../../docs/code/tasks/codec.ts';
import { print } from '../../docs/code/tasks/errors.ts';
import '../../docs/code/tasks/emails.spec.ts';
import '../../docs/code/tasks/raw.ts';

const code = '../../docs/code/tasks';

describe('the tasks page', () => {
  let clock: sinon.SinonFakeTimers;
  let printed: sinon.SinonStub;
  let container: TestContainer;

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    printed = sinon.stub(console, 'log');
  });
  afterEach(async () => {
    await container.stop();
    sinon.restore();
  });

  const startOn = async (queue: string, concurrency = 1) => {
    container = await TestContainer.start({ queue, worker, concurrency });
  };
  const lines = () => printed.args.flat();

  it('sends', async () => {
    container = await TestContainer.start('docs/code/tasks/worker.ini');
    await import(`${code}/send.ts`);
    await container.idle();
    await clock.tickAsync('01:00');
    await container.idle();
    expect(lines()).to.deep.equal([
      'Hello, to ann@example.org',
      'You have a date at 2026-11-21T12:00:00.000Z, to ann@example.org',
      'Hello, to bob@example.org',
      'News, to dan@example.org',
      'News, to eve@example.org',
      'Hello, to cid@example.org',
      'Hello again, to ann@example.org',
    ]);
  });

  it('retries on purpose', async () => {
    await startOn('reports');
    await print.delay({ paper: false });
    await container.idle();
    expect(container.kept[0]?.error).to.have.property('message', 'no paper');
    await clock.tickAsync('05:00');
    await container.idle();
    expect(container.kept).to.have.length(1);
    await clock.tickAsync('10:00');
    await container.idle();
    expect(container.kept).to.have.length(2);
  });

  it('has a context', async () => {
    await startOn('reports');
    await import(`${code}/context.ts`);
    await container.idle();
    expect(lines().join()).to.match(/^reports\.count took \d.* ms, for the request r1$/);
  });

  it('reads in batches', async () => {
    await startOn('pages', 10);
    for (const page of ['a', '', 'b']) await view.delay({ page });
    const idle = container.idle();
    await clock.tickAsync('00:02');
    await idle;
    expect(lines()).to.deep.equal(['INSERT a,b']);
    expect(container.kept.map(({ body }) => body)).to.deep.equal(['{"page":""}']);
  });

  it('takes what other programs send', async () => {
    await startOn('uploads');
    const id = await container.send('uploads', '{"Records":[{"s3":{"object":{"key":"a.png"}}}]}');
    await container.idle();
    expect(lines()).to.deep.equal([`a.png, in message ${id}`]);
  });

  it('has a codec of its own', async () => {
    await startOn('reports');
    const { body } = await archive.delay({ text: 'x'.repeat(10_000) });
    await container.idle();
    expect(body).to.have.length.below(100);
    expect(lines()).to.deep.equal(['10000 characters']);
  });

  it('creates queues', async () => {
    const failing = () => () => {
      throw new Error('no');
    };
    const failed = await TestContainer.start({ queue: 'emails-failed', worker: () => console.log });
    await import(`${code}/create.ts`);
    container = await TestContainer.start({ queue: 'emails', worker: failing, onError: 'retry' });
    await container.send('emails', '[["buried"],{}]');
    for (let receives = 1; receives <= 8; receives += 1) {
      await container.idle();
      expect(container.kept).to.have.length(receives);
      await clock.tickAsync('01:00');
    }
    await failed.idle();
    expect(lines()).to.deep.equal(['buried']);
    await failed.stop();
  });

  it('schedules what a container handles', async () => {
    container = await TestContainer.start('docs/code/tasks/worker.ini');
    const { MessageBody, MessageAttributes } = JSON.parse(
      readFileSync('docs/code/tasks/scheduled.json', 'utf8'),
    ) as {
      MessageBody: string;
      MessageAttributes: Record<string, { DataType: string; StringValue: string }>;
    };
    const attributes = Object.fromEntries(
      Object.entries(MessageAttributes).map(([name, { DataType, StringValue }]) => [
        name,
        { dataType: DataType, stringValue: StringValue },
      ]),
    );
    await container.send('emails', MessageBody, { attributes });
    await container.idle();
    expect(lines()).to.deep.equal(['Good morning, to ann@example.org']);
  });
});
