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

  it('is tried again after its backoff, whatever on_error says', async () => {
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
});
