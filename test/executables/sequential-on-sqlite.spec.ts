import { expect } from 'chai';
import { cleanUp, type Executable, eventually, folderWith, start } from '../support/executable.ts';
import { call, openQueue, settings } from '../support/executable-brokers.ts';

const WORKER = `
  let running = 0;
  export const recorder = ({ greeting }) => async (what) => {
    running += 1;
    console.log(greeting, what, running);
    await new Promise((resolve) => setTimeout(resolve, 5));
    running -= 1;
  };
  export const careless = () => (what) => {
    if (what === 'forget') void Promise.reject(new Error('forgotten'));
    if (what === 'explode') setTimeout(() => { throw new Error('exploded'); });
    console.log(what);
  };
  export const blocker = () => (what) => {
    console.log(what);
    const end = performance.now() + (what === 'block' ? 1300 : 0);
    while (performance.now() < end);
  };
`;

function folderFor(exported: string, more = ''): string {
  return folderWith({ 'worker.ini': settings(exported, more), 'worker.mjs': WORKER });
}

function startIn(folder: string, ...options: string[]): Executable {
  return start('sequential', ['worker.ini', ...options], { folder });
}

const letters = [['a'], ['b'], ['c'], ['d'], ['e']];

describe('sqs-sequential on sqlite', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('logs where it is connected, and handles one message at a time, in order', async () => {
    const folder = folderFor('recorder', '[worker]\ngreeting = hello\n');
    const queue = await openQueue(folder);
    await call(queue, ...letters);
    const container = startIn(folder);
    await container.prints(/^hello e 1$/);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(container.stdout).to.equal('hello a 1\nhello b 1\nhello c 1\nhello d 1\nhello e 1\n');
    expect(messagesOf(container)).to.deep.equal([
      `INFO sequential: Connected to sqlite:${folder}/queues.db, queue "jobs"`,
      'INFO sequential: SIGTERM: draining',
      container.stderr.match(/INFO sequential: Drained .*/)?.[0],
    ]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('immediately starts a message that is sent while it waits', async () => {
    const folder = folderFor('recorder');
    const queue = await openQueue(folder);
    const container = startIn(folder);
    await container.prints(/Connected/);
    const sentAt = performance.now();
    await call(queue, ['now']);
    await container.prints(/now/);
    expect(performance.now() - sentAt).to.be.below(2_000);
  });

  it('handles messages once, and deletes them, even if a worker blocks it beyond the visibility timeout', async () => {
    const folder = folderFor('blocker', 'visibility_timeout = 1\n');
    const queue = await openQueue(folder);
    await call(queue, ['a'], ['block'], ['b']);
    const container = startIn(folder, '--idle-exit=3');
    expect(await container.exit()).to.equal(0);
    expect(container.stdout.split('\n').sort()).to.deep.equal(['', 'a', 'b', 'block']);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });

  it('exits after --message-limit messages, or after message_limit in the ini file, and leaves the others', async () => {
    const folders = [folderFor('recorder'), folderFor('recorder', 'message_limit = 3\n')] as const;
    const queues = await Promise.all(folders.map(openQueue));
    await Promise.all(queues.map((queue) => call(queue, ...letters)));
    const containers = [startIn(folders[0], '--message-limit', '3'), startIn(folders[1])];
    for (const container of containers) {
      expect(await container.exit()).to.equal(0);
      expect(container.stdout.match(/[a-e] 1$/gm)).to.deep.equal(['a 1', 'b 1', 'c 1']);
    }
    for (const queue of queues) {
      expect(await queue.counts()).to.deep.equal({ visible: 2, inFlight: 0, delayed: 0 });
    }
  });

  it('prefers --message-limit to message_limit', async () => {
    const folder = folderFor('recorder', 'message_limit = 3\n');
    await call(await openQueue(folder), ...letters);
    const container = startIn(folder, '--message-limit', '1');
    expect(await container.exit()).to.equal(0);
    expect(container.stdout).to.contain(' a 1\n').and.not.contain(' b 1\n');
  });

  it('exits when no message has arrived for --idle-exit, or idle_exit, and all are done', async () => {
    const folders = [folderFor('recorder'), folderFor('recorder', 'idle_exit = 300ms\n')] as const;
    for (const folder of folders) await call(await openQueue(folder), ...letters);
    const containers = [startIn(folders[0], '--idle-exit', '0.3'), startIn(folders[1])];
    for (const container of containers) {
      expect(await container.exit()).to.equal(0);
      expect(container.stdout.match(/[a-e] 1$/gm)).to.have.lengthOf(5);
    }
  });

  it('exits at whichever limit comes first', async () => {
    const folders = [folderFor('recorder'), folderFor('recorder')] as const;
    for (const folder of folders) await call(await openQueue(folder), ...letters);
    const limited = startIn(folders[0], '--idle-exit', '1h', '--message-limit', '2');
    const idle = startIn(folders[1], '--idle-exit', '300ms', '--message-limit', '200');
    expect([await limited.exit(), await idle.exit()]).to.deep.equal([0, 0]);
    expect(limited.stdout.match(/[a-e] 1$/gm)).to.have.lengthOf(2);
    expect(idle.stdout.match(/[a-e] 1$/gm)).to.have.lengthOf(5);
  });

  it('continues after SIGUSR2', async () => {
    const folder = folderFor('recorder');
    const queue = await openQueue(folder);
    const container = startIn(folder);
    await container.prints(/Connected/);
    for (const letter of letters) {
      container.signal('SIGUSR2');
      await call(queue, letter);
    }
    await container.prints(/ e 1$/);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(container.stdout.match(/[a-e] 1$/gm)).to.have.lengthOf(5);
  });

  it('logs the rejection of a promise that a worker did not await, and continues', async () => {
    const folder = folderFor('careless');
    const queue = await openQueue(folder);
    await call(queue, ['forget'], ['next']);
    const container = startIn(folder, '--message-limit', '2');
    expect(await container.exit()).to.equal(0);
    expect(container.stdout).to.equal('forget\nnext\n');
    expect(container.stderr).to.match(
      /ERROR sequential: Unhandled promise rejection\n +Error: forgotten\n +at /,
    );
  });

  it('drains and exits with 70 after an uncaught exception in a worker', async () => {
    const folder = folderFor('careless');
    const queue = await openQueue(folder);
    await call(queue, ['explode']);
    const container = startIn(folder);
    expect(await container.exit()).to.equal(70);
    expect(container.stderr).to.match(
      /ERROR sequential: Uncaught exception: draining\n +Error: exploded\n +at /,
    );
    expect(container.stderr).to.contain('INFO sequential: Drained ');
    await eventually(async () => (await queue.counts()).inFlight === 0);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
  });
});

/** The lines of the log without their times. */
function messagesOf({ stderr }: Executable): string[] {
  return stderr
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/^\S+Z /, ''));
}
