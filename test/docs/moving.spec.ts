/** Runs the code in docs/moving/, and handles messages from the other systems. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { MessageAttributes } from 'sqs-containers';
import { worker } from 'sqs-containers/tasks';
import { TestContainer } from 'sqs-containers/test';
import { uploaded } from '../../docs/moving/code/djutils-queue/view.ts';
import { countOpens } from '../../docs/moving/code/sqs-workers/tasks/emails.ts';
import '../../docs/moving/code/sqs-consumer/orders.spec.ts';
import '../../docs/moving/code/zc-sqs/adder.spec.ts';
import { PageRun } from './page-run.ts';

const code = '../../docs/moving/code';

describe('migrating', () => {
  const page = new PageRun();
  beforeEach(() => page.begin());
  afterEach(() => page.end());

  const start = (file: string) => page.start(`docs/moving/code/${file}`);

  describe('from zc.sqs', () => {
    beforeEach(() => start('zc-sqs/worker.ini'));

    it('makes the same calls, with the same messages', async () => {
      await import(`${code}/zc-sqs/send.ts`);
      await page.container.send('adder', '[[1, 2, 4], {}]'); // As Python writes JSON.
      await page.container.send('adder', 'W1sxLCAyLCA1XSwge31d'); // As Python's zc.sqs sends it.
      await page.container.idle();
      expect(page.container.deleted.map(({ body }) => body)).to.deep.equal([
        '[[1,2,3],{}]',
        '[[1, 2, 4], {}]',
        'W1sxLCAyLCA1XSwge31d',
      ]);
      expect(page.lines).to.deep.equal(['12', '14', '16']);
    });

    it('writes failed messages to the messages log', async () => {
      await page.container.send('adder', '[[1, 2');
      await page.container.idle();
      expect(page.container.messagesLog).to.deep.equal(['[[1, 2']);
    });
  });

  describe('from django-sqs', () => {
    beforeEach(() => start('django-sqs/worker.ini'));

    it('sends the same messages', async () => {
      await import(`${code}/django-sqs/send.ts`);
      await page.container.idle();
      expect(
        page.container.deleted.map(({ queue, body }) => [queue, Buffer.from(body, 'base64').toString()]),
      ).to.deep.equal([
        ['thumbnails', 'photos/1.jpg'],
        ['orders', '["shop","order",17]'],
      ]);
      expect(page.lines).to.have.members([
        'a thumbnail of photos/1.jpg',
        'a thumbnail of photos/2.jpg',
        'order 17 costs 42',
      ]);
    });

    it('receives messages from Python', async () => {
      const base64 = (text: string) => Buffer.from(text).toString('base64');
      await page.container.send('orders', base64('["shop", "order", 17]'));
      await page.container.send('orders', base64('["shop", "order", 18]'));
      await page.container.idle();
      expect(page.lines).to.deep.equal(['order 17 costs 42']);
      expect(page.container.kept[0]?.error).to.have.property(
        'message',
        'The message refers to something that no longer exists: ["shop","order",18]',
      );
    });
  });

  it('from djutils.queue enqueues commands, which are found by their module name', async () => {
    await start('djutils-queue/consumer.ini');
    expect(await uploaded(7)).to.contain('in a moment');
    await page.container.idle();
    expect(page.lines).to.deep.equal(['photo 7, 320 wide']);
  });

  describe('from sqs-workers', () => {
    it('sends in every way', async () => {
      await start('sqs-workers/worker.ini');
      await import(`${code}/sqs-workers/send.ts`);
      await page.container.idle();
      await page.clock.tickAsync('00:05');
      await page.container.idle();
      const sent = page.lines.map((line) => line.replace('Hello, to ', '').replace('@example.org', ''));
      expect(sent.sort()).to.deep.equal(['ann', 'ann', 'bob', 'cid', 'dan', 'eve']);
    });

    it('handles messages from Python, and keeps pickled ones', async () => {
      await start('sqs-workers/worker.ini');
      const { body, attributes } = JSON.parse(
        readFileSync('docs/moving/code/sqs-workers/message.json', 'utf8'),
      ) as { body: string; attributes: MessageAttributes };
      await page.container.send('emails', body, { attributes });
      const ContentType = { dataType: 'String', stringValue: 'pickle' };
      await page.container.send('emails', 'eJxr', { attributes: { ...attributes, ContentType } });
      await page.container.send('cron', '{"source": "aws.events"}');
      await page.container.idle();
      expect(page.lines[0]).to.equal('Yo, to c@d');
      expect(page.lines[1]).to.contain('aws.events');
      expect(page.container.kept.map(({ error }) => (error as Error).name)).to.deep.equal([
        'UnsupportedContentTypeError',
      ]);
    });

    it('handles batches', async () => {
      await page.start({ queue: 'emails', worker, concurrency: 10 });
      for (const email of [1, 2, 3]) await countOpens.delay({ email });
      const idle = page.container.idle();
      await page.clock.tickAsync('00:01');
      await idle;
      expect(page.lines).to.deep.equal(['3 opened']);
    });

    it('creates queues, and runs the tasks on the dead letters', async () => {
      await page.start({ queue: 'emails_dead', worker });
      await import(`${code}/sqs-workers/create.ts`);
      const main = await TestContainer.start({
        queue: 'emails',
        onError: 'retry',
        worker: () => ({
          handleMessage: () => {
            throw new Error('a defect, since repaired');
          },
        }),
      });
      const JobName = { dataType: 'String', stringValue: 'send_email' };
      await page.container.send('emails', '{"to": "c@d", "subject": "Yo"}', { attributes: { JobName } });
      for (let receives = 1; receives <= 3; receives += 1) {
        await page.container.idle();
        await page.clock.tickAsync('00:30');
      }
      await page.container.idle();
      expect(main.kept).to.have.length(3);
      expect(page.lines).to.deep.equal(['Yo, to c@d']);
      await main.stop();
    });
  });
});
