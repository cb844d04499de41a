import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { TestContainer } from '../../containers/test.ts';
import { constantBackoff, taskQueue } from '../../src/index.ts';

describe('a task that takes longer than handler_timeout', () => {
  let clock: sinon.SinonFakeTimers;
  let folder: string;
  let container: TestContainer;

  beforeEach(async () => {
    clock = sinon.useFakeTimers({ toNotFake: ['nextTick', 'queueMicrotask'] });
    folder = mkdtempSync(join(tmpdir(), 'timeouts-'));
    taskQueue('timeouts');
    const file = join(folder, 'worker.ini');
    const worker = `${resolve('src/tasks/worker.ts')}:worker`;
    writeFileSync(file, `[container]\nworker = ${worker}\nqueue = timeouts\nhandler_timeout = 5\n`);
    container = await TestContainer.start(file);
  });
  afterEach(async () => {
    await container.stop();
    rmSync(folder, { recursive: true });
    clock.restore();
  });

  it('is retried after its backoff, whatever on_error is', async () => {
    const backoff = constantBackoff({ base: 10, spread: 0 });
    const slow = taskQueue('timeouts').task(
      'slow',
      () => new Promise<void>((done) => setTimeout(done, 6_000)),
      { backoff },
    );
    await slow.delay();
    const idle = container.idle();
    await clock.tickAsync(6_000);
    await idle;
    expect(container.failed).to.deep.equal([]);
    expect(container.kept.map(({ error }) => (error as Error).name)).to.deep.equal(['HandlerTimeoutError']);
    const again = clock.tickAsync(16_000);
    await again;
    await container.idle();
    expect(container.kept.map(({ receiveCount }) => receiveCount)).to.deep.equal([1, 2]);
  });

  it('while waiting for others in its batch does not run', async () => {
    const handled: number[] = [];
    const many = taskQueue('timeouts').batchTask(
      'many',
      (inputs: readonly { n: number }[]) => void handled.push(...inputs.map(({ n }) => n)),
      { wait: 8, backoff: constantBackoff({ base: 600, spread: 0 }) },
    );
    await many.delay({ n: 1 });
    await clock.tickAsync(5_000);
    await container.idle();
    await many.delay({ n: 2 });
    await clock.tickAsync(4_000);
    expect(container.kept).to.have.length(1);
    expect(handled).to.deep.equal([2]);
    await container.idle();
  });

  it('while waiting for its rate does not run, and gives its place to others', async () => {
    const started: number[] = [];
    const rare = taskQueue('timeouts').task('rare', ({ n }: { n: number }) => void started.push(n), {
      rate: { count: 1, seconds: 60 },
      backoff: constantBackoff({ base: 600, spread: 0 }),
    });
    const other = taskQueue('timeouts').task('other', () => void started.push(0));
    for (const n of [1, 2]) await rare.delay({ n });
    await other.delay();
    const idle = container.idle();
    await clock.tickAsync(5_000);
    await idle;
    expect(started).to.deep.equal([1, 0]);
    expect(container.kept.map(({ error }) => (error as Error).name)).to.deep.equal(['HandlerTimeoutError']);
    await clock.tickAsync(590_000);
    expect(started).to.deep.equal([1, 0]);
    await clock.tickAsync(20_000);
    await container.idle();
    expect(started).to.deep.equal([1, 0, 2]);
  });
});
