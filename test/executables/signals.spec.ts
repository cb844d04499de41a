import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { cleanUp, type Executable, eventually, folderWith, start } from '../support/executable.ts';
import { call, openQueue, settings } from '../support/executable-brokers.ts';

const WORKER = `
  import { existsSync } from 'node:fs';
  import { currentMessage } from 'sqs-containers';
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  // Works until the spec creates the file 'finish'.
  export const patient = () => async (what) => {
    console.log('begin', what);
    while (!existsSync('finish')) await pause(10);
    console.log('end', what);
  };
  // Works until its signal aborts.
  export const obedient = () => async (what) => {
    const { signal } = currentMessage();
    console.log('begin', what);
    await new Promise((resolve, reject) => signal.addEventListener('abort', () => {
      console.log('told', signal.reason.name);
      reject(signal.reason);
    }));
  };
  export const deaf = () => async (what) => {
    currentMessage().signal.addEventListener('abort', () => console.log('told'));
    console.log('begin', what);
    await new Promise(() => {});
  };
  export const failing = () => (what) => { throw new Error(what); };
`;

function folderFor(exported: string, more = ''): string {
  return folderWith({ 'worker.ini': settings(exported, more), 'worker.mjs': WORKER });
}

function startIn(folder: string, ...options: string[]): Executable {
  return start('sequential', ['worker.ini', ...options], { folder });
}

/** Starts a container on a queue of two messages, and waits until its worker is busy with the first. */
async function startBusy(
  exported: string,
  more = '',
): Promise<{ container: Executable; folder: string; queue: Queue }> {
  const folder = folderFor(exported, more);
  const queue = await openQueue(folder);
  await call(queue, ['first'], ['second']);
  const container = startIn(folder);
  await container.prints(/^begin first$/);
  return { container, folder, queue };
}

const nothing = { visible: 0, inFlight: 0, delayed: 0 };

describe('signals to sqs-sequential', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finish and delete its message on ${signal}, and receive no other`, async () => {
      const { container, folder, queue } = await startBusy('patient');
      container.signal(signal);
      await container.prints(new RegExp(`INFO sequential: ${signal}: draining$`));
      writeFileSync(join(folder, 'finish'), '');
      expect(await container.exit()).to.equal(0);
      expect(container.stdout).to.equal('begin first\nend first\n');
      expect(container.stderr).to.match(
        /^\S+Z INFO sequential: Drained 1 in progress: 1 finished, 0 returned, 1 deletes confirmed, 0 may run again\n$/m,
      );
      expect(await queue.counts()).to.deep.equal({ ...nothing, visible: 1 });
      const next = startIn(folder, '--message-limit', '1');
      expect(await next.exit()).to.equal(0);
      expect(next.stdout).to.equal('begin second\nend second\n');
    });
  }

  it('end it immediately on SIGTERM when there is nothing to do', async () => {
    const container = startIn(folderFor('patient'));
    await container.prints(/Connected/);
    const toldAt = performance.now();
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(performance.now() - toldAt).to.be.below(1_500);
    expect(container.stderr).to.contain(
      'Drained 0 in progress: 0 finished, 0 returned, 0 deletes confirmed, 0 may run again',
    );
  });

  it('end it immediately when sent twice, and the message becomes visible again', async () => {
    const { container, folder, queue } = await startBusy('patient', 'visibility_timeout = 1\n');
    container.signal('SIGTERM');
    await container.prints(/SIGTERM: draining$/);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(143);
    expect(container.stderr).to.match(
      /WARN sequential: SIGTERM again: exiting immediately; messages in progress become visible again when/,
    );
    await eventually(async () => (await queue.counts()).visible === 2);
    writeFileSync(join(folder, 'finish'), '');
    const next = startIn(folder, '--message-limit', '2');
    expect(await next.exit()).to.equal(0);
    expect(next.stdout).to.contain('end first').and.contain('end second');
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('abort a worker that takes longer than drain_timeout, and return its message to the queue', async () => {
    const { container, queue } = await startBusy('obedient', 'drain_timeout = 200ms\n');
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(container.stdout).to.equal('begin first\ntold DrainTimeoutError\n');
    expect(await queue.counts()).to.deep.equal({ ...nothing, visible: 2 });
  });

  it('end it with code 75 if a worker still does not return, and return its message to the queue', async () => {
    const { container, queue } = await startBusy('deaf', 'drain_timeout = 200ms\n');
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(75);
    expect(container.stdout).to.equal('begin first\ntold\n');
    expect(container.stderr).to.match(/Drained 1 in progress: .*; 1 workers did not end$/m);
    expect(await queue.counts()).to.deep.equal({ ...nothing, visible: 2 });
  });

  it('reopen its log files on SIGHUP', async () => {
    const logs = '[logger]\npath = worker.log\n[logger.messages]\npath = messages.log\n';
    const folder = folderFor('failing', logs);
    const queue = await openQueue(folder);
    const contentOf = (name: string) => {
      try {
        return readFileSync(join(folder, name), 'utf8');
      } catch {
        return '';
      }
    };
    const container = startIn(folder);
    await call(queue, ['before']);
    await eventually(() => contentOf('messages.log') !== '');
    for (const name of ['worker.log', 'messages.log'])
      renameSync(join(folder, name), join(folder, `${name}.1`));
    container.signal('SIGHUP');
    await eventually(() => contentOf('worker.log').includes('INFO sequential: SIGHUP: reopened log files\n'));
    await call(queue, ['after']);
    await eventually(() => contentOf('messages.log') !== '');
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(contentOf('messages.log.1')).to.equal('[["before"],{}]\n');
    expect(contentOf('messages.log')).to.equal('[["after"],{}]\n');
    expect(contentOf('worker.log.1')).to.contain('Connected').and.contain('Error: before');
    expect(contentOf('worker.log')).to.contain('Error: after').and.contain('Drained');
    expect(container.output.trim()).to.equal('');
  });
});
