import { join } from 'node:path';
import { expect } from 'chai';
import type { MessageAttributes, Queue } from '../../src/brokers/broker.ts';
import { cleanUp, type Executable, eventually, folderWith, start } from '../support/executable.ts';
import { openQueue } from '../support/executable-brokers.ts';

const SETTINGS = `
[container]
worker = sqs-containers/tasks:worker
queue = jobs
broker = sqlite:queues.db
visibility_timeout = 600
handler_timeout = 0.3
on_error = retry
[worker]
modules = ./jobs.ts
[logger.messages]
path = messages.log
`;

const TASKS = `
import { constantBackoff, currentContext, currentMessage, type Task, taskQueue } from 'sqs-containers';

const jobs = taskQueue('jobs', { backoff: constantBackoff({ base: 300, spread: 0 }) });

export const greet: Task<{ name: string }> = jobs.task('greet', ({ name }: { readonly name: string }) => {
  console.log(\`hello \${name} (\${currentContext().requestId}, \${currentMessage().receiveCount})\`);
});

export const fail: Task<object> = jobs.task('fail', () => {
  throw new RangeError('no such user');
});

export const slow: Task<object> = jobs.task('slow', async () => {
  const { signal } = currentMessage();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
});

export const both: Task<{ name: string }> = jobs.task('both', async ({ name }: { readonly name: string }) => {
  await Promise.all([greet.delay({ name }), greet.delay({ name: 'all' })]);
});
`;

function folderFor(tasks = TASKS): string {
  return folderWith({ 'worker.ini': SETTINGS, 'jobs.ts': tasks });
}

/** Sends a task as sqs-workers does. */
async function send(queue: Queue, name: string, body: string, more: Readonly<Record<string, string>> = {}) {
  const values = { ContentType: 'json', JobName: name, JobContext: '{"requestId": "r1"}', ...more };
  const attributes: MessageAttributes = Object.fromEntries(
    Object.entries(values).map(([key, stringValue]) => [key, { dataType: 'String', stringValue }]),
  );
  expect(await queue.send([{ body, attributes }])).to.have.nested.property('[0].ok', true);
}

describe('sqs-concurrent with tasks', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  /** Starts it, lets it handle the sent messages, and waits until it has settled `messages` in total. */
  async function handle(folder: string, messages: number): Promise<Executable> {
    const container = start('concurrent', ['worker.ini', '--message-limit', String(messages)], { folder });
    expect(await container.exit(), container.output).to.equal(0);
    return container;
  }

  it('logs at start which tasks it serves, and needs no build for them', async () => {
    const folder = folderFor();
    await send(await openQueue(folder), 'greet', '{"name": "Ann"}');
    const container = await handle(folder, 1);
    const [serving, connected] = container.stderr.split('\n');
    expect(serving).to.match(
      /INFO concurrent: Serving the tasks jobs\.greet, jobs\.fail, jobs\.slow, jobs\.both$/,
    );
    expect(connected).to.contain('Connected to sqlite:').and.contain('queue "jobs"');
    expect(container.stdout).to.equal('hello Ann (r1, 1)\n');
  });

  it('lets tasks send tasks to the queues of their own container, with their context', async () => {
    const folder = folderFor();
    await send(await openQueue(folder), 'both', '{"name": "Ann"}');
    const container = await handle(folder, 3);
    expect(container.stdout.trim().split('\n').sort()).to.deep.equal([
      'hello Ann (r1, 1)',
      'hello all (r1, 1)',
    ]);
  });

  it('keeps a failed task until its backoff ends, and logs the stack', async () => {
    const folder = folderFor();
    const queue = await openQueue(folder);
    await send(queue, 'fail', '{}');
    const { stderr } = await handle(folder, 1);
    expect(stderr).to.match(
      /ERROR concurrent: Handling a message \(.*\)\n {2}RangeError: no such user\n {6}at .*jobs\.ts/,
    );
    expect(stderr).to.match(/INFO concurrent: Message \S+ is retried in 300 s/);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it('keeps a task that takes longer than handler_timeout, with on_error = retry', async () => {
    const folder = folderFor();
    const queue = await openQueue(folder);
    await send(queue, 'slow', '{}');
    const { stderr } = await handle(folder, 1);
    expect(stderr).to.contain('HandlerTimeoutError');
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it('leaves a task with an unknown name in the queue, and lists the known tasks', async () => {
    const folder = folderFor();
    const queue = await openQueue(folder);
    await send(queue, 'elsewhere', '{}');
    const { stderr } = await handle(folder, 1);
    expect(stderr).to.match(
      /UnknownTaskError: The queue "jobs" has no task "elsewhere"\. This process serves jobs\.greet, jobs\.fail, jobs\.slow, jobs\.both\./,
    );
    expect(stderr).to.contain('is retried when its visibility timeout ends');
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it('also leaves a message in the queue that is not a task', async () => {
    const folder = folderFor();
    const queue = await openQueue(folder);
    await queue.send([{ body: '[[1,2,3],{}]' }]);
    const { stderr } = await handle(folder, 1);
    expect(stderr).to.contain(
      'UnknownTaskError: The message does not name a task (it has no attribute JobName)',
    );
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it('keeps a pickled message without reading it', async () => {
    const folder = folderFor();
    const queue = await openQueue(folder);
    await send(queue, 'greet', 'eJxrYJmqzgABPRzB-Smp8TmZxSVTegC8mgVR', { ContentType: 'pickle' });
    const container = await handle(folder, 1);
    expect(container.stdout).to.equal('');
    expect(container.stderr).to.contain(
      'UnsupportedContentTypeError: The message has the content type "pickle": pickles are refused',
    );
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it('exits immediately if a module fails to load, and names it', async () => {
    const folder = folderFor("throw new Error('no configuration');");
    const container = start('concurrent', ['worker.ini'], { folder });
    expect(await container.exit()).to.equal(78);
    expect(container.stderr).to.contain(`${join(folder, 'jobs.ts')} failed to load: no configuration`);
  });

  it('exits immediately if a pattern matches no module', async () => {
    const folder = folderWith({ 'worker.ini': SETTINGS });
    const container = start('concurrent', ['worker.ini'], { folder });
    expect(await container.exit()).to.equal(78);
    expect(container.stderr).to.contain(
      `No module matches "./jobs.ts" in ${folder}. Set modules in [worker]`,
    );
  });

  it('exits immediately if the modules define no task', async () => {
    const folder = folderFor(
      "import { taskQueue } from 'sqs-containers'; taskQueue('jobs').task('greet', null);",
    );
    const container = start('concurrent', ['worker.ini'], { folder });
    expect(await container.exit()).to.equal(78);
    expect(container.stderr).to.contain(`No task is defined in ${join(folder, 'jobs.ts')}`);
  });

  it('serves tasks until it is told to stop', async () => {
    const folder = folderFor();
    const queue = await openQueue(folder);
    const container = start('concurrent', ['worker.ini'], { folder });
    await container.prints(/Connected/);
    await send(queue, 'greet', '{"name": "Ann"}');
    await container.prints(/^hello Ann/);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    await eventually(async () => (await queue.counts()).inFlight === 0);
  });
});
