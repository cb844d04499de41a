/** Runs the code in docs/tasks.md. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { worker } from 'sqs-containers/tasks';
import { TestContainer } from 'sqs-containers/test';
import { view } from '../../docs/code/tasks/batches.ts';
import { archive } from '../../docs/code/tasks/codec.ts';
import { print } from '../../docs/code/tasks/errors.ts';
import '../../docs/code/tasks/emails.spec.ts';
import '../../docs/code/tasks/raw.ts';
import { PageRun } from './page-run.ts';

const code = '../../docs/code/tasks';

describe('the tasks page', () => {
  const page = new PageRun();
  beforeEach(() => page.begin());
  afterEach(() => page.end());

  const startOn = (queue: string, concurrency = 1) => page.start({ queue, worker, concurrency });

  it('sends', async () => {
    await page.start('docs/code/tasks/worker.ini');
    await import(`${code}/send.ts`);
    await page.container.idle();
    await page.clock.tickAsync('01:00');
    await page.container.idle();
    expect(page.lines).to.deep.equal([
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
    await page.container.idle();
    expect(page.container.kept[0]?.error).to.have.property('message', 'no paper');
    await page.clock.tickAsync('05:00');
    await page.container.idle();
    expect(page.container.kept).to.have.length(1);
    await page.clock.tickAsync('10:00');
    await page.container.idle();
    expect(page.container.kept).to.have.length(2);
  });

  it('has a context', async () => {
    await startOn('reports');
    await import(`${code}/context.ts`);
    await page.container.idle();
    expect(page.lines.join()).to.match(/^reports\.count took \d.* ms, for the request r1$/);
  });

  it('handles batches', async () => {
    await startOn('pages', 10);
    for (const page of ['a', '', 'b']) await view.delay({ page });
    const idle = page.container.idle();
    await page.clock.tickAsync('00:02');
    await idle;
    expect(page.lines).to.deep.equal(['INSERT a,b']);
    expect(page.container.kept.map(({ body }) => body)).to.deep.equal(['{"page":""}']);
  });

  it('handles messages from other programs', async () => {
    await startOn('uploads');
    const id = await page.container.send('uploads', '{"Records":[{"s3":{"object":{"key":"a.png"}}}]}');
    await page.container.idle();
    expect(page.lines).to.deep.equal([`a.png, in message ${id}`]);
  });

  it('uses its own codec', async () => {
    await startOn('reports');
    const { body } = await archive.delay({ text: 'x'.repeat(10_000) });
    await page.container.idle();
    expect(body).to.have.length.below(100);
    expect(page.lines).to.deep.equal(['10000 characters']);
  });

  it('creates queues', async () => {
    const failing = () => () => {
      throw new Error('no');
    };
    const failed = await TestContainer.start({ queue: 'emails-failed', worker: () => console.log });
    await import(`${code}/create.ts`);
    await page.start({ queue: 'emails', worker: failing, onError: 'retry' });
    await page.container.send('emails', '[["buried"],{}]');
    for (let receives = 1; receives <= 8; receives += 1) {
      await page.container.idle();
      expect(page.container.kept).to.have.length(receives);
      await page.clock.tickAsync('01:00');
    }
    await failed.idle();
    expect(page.lines).to.deep.equal(['buried']);
    await failed.stop();
  });

  it('schedules a message that a container handles', async () => {
    await page.start('docs/code/tasks/worker.ini');
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
    await page.container.send('emails', MessageBody, { attributes });
    await page.container.idle();
    expect(page.lines).to.deep.equal(['Good morning, to ann@example.org']);
  });
});
