import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { processStartTime } from '../../src/host/process-start-time.ts';
import { cleanUp, type Executable, eventually, folderWith, run, start } from '../support/executable.ts';
import { call, openQueue, settings } from '../support/executable-brokers.ts';

/** Each worker writes the number of its message when it is done. */
const WORKER = `
  import { existsSync, mkdirSync } from 'node:fs';
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  export const steady = () => async (number) => {
    await pause(30);
    console.log('process', process.pid, 'did', number);
  };
  // The third message kills its process, once.
  export const fragile = () => async (number) => {
    await pause(30);
    if (number === 3 && mkdirSync('killed', { recursive: true })) process.kill(process.pid, 'SIGKILL');
    console.log('process', process.pid, 'did', number);
  };
  // Works until the spec creates the file 'finish'.
  export const patient = () => async (number) => {
    console.log('process', process.pid, 'began', number);
    while (!existsSync('finish')) await pause(10);
    console.log('process', process.pid, 'did', number);
  };
  const hoard = [];
  export const greedy = () => async (number) => {
    await pause(30);
    hoard.push(Buffer.alloc(25 * 2 ** 20, 1));
    console.log('process', process.pid, 'did', number);
  };
  export const absent = () => process.exit(1);
`;

const nothing = { visible: 0, inFlight: 0, delayed: 0 };
/** A process that gets no CPU for half of this long may lose a lease, and its message would be handled twice. */
const VISIBILITY_TIMEOUT = 'visibility_timeout = 4\n';

function folderFor(exported: string, more = '', processes = 2): string {
  return folderWith({
    'worker.ini': settings(exported, `processes = ${processes}\nconcurrency = 1\nsettle_delay = 0\n${more}`),
    'worker.mjs': WORKER,
  });
}

function startIn(folder: string, ...options: string[]): Executable {
  return start('concurrent', ['worker.ini', ...options], { folder, group: true });
}

function numbers(count: number): number[][] {
  return Array.from({ length: count }, (_, index) => [index + 1]);
}

/** The numbers of the finished messages, in order. */
function done({ stdout }: Executable): number[] {
  return [...stdout.matchAll(/ did (\d+)$/gm)].map(([, number]) => Number(number)).sort((a, b) => a - b);
}

/** The ids of the processes that wrote a number. */
function workers({ stdout }: Executable): number[] {
  return [...new Set([...stdout.matchAll(/^process (\d+)/gm)].map(([, pid]) => Number(pid)))];
}

/** The parent's log lines about its processes, without times and process ids. */
function story({ stderr }: Executable): string[] {
  return [...stderr.matchAll(/^\S+ (\w+ \w+: Process \d) \(pid \d+\) (.*)$/gm)].map(
    ([, who, what]) => `${who} ${what}`,
  );
}

describe('a container of several processes', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  async function startBusy(
    exported: string,
    more = '',
  ): Promise<{ container: Executable; folder: string; queue: Queue }> {
    const folder = folderFor(exported, more);
    const queue = await openQueue(folder);
    await call(queue, ...numbers(2));
    const container = startIn(folder);
    await container.prints(/began/, 2);
    return { container, folder, queue };
  }

  it('shares the work among them, and handles each message once', async () => {
    const folder = folderFor('steady');
    const queue = await openQueue(folder);
    const container = startIn(folder);
    await container.prints(/Connected/, 2);
    await call(queue, ...numbers(40));
    await eventually(() => done(container).length === 40);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(done(container)).to.deep.equal(numbers(40).flat());
    expect(workers(container)).to.have.length(2);
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('exits when all of them were idle for idle_exit', async () => {
    const folder = folderFor('steady');
    await call(await openQueue(folder), ...numbers(2));
    const container = startIn(folder, '--idle-exit', '300ms');
    expect(await container.exit()).to.equal(0);
    expect(done(container)).to.deep.equal([1, 2]);
    expect(story(container)).to.have.members([
      'INFO concurrent: Process 1 started',
      'INFO concurrent: Process 2 started',
      'INFO concurrent: Process 1 exited: exit code 0, no message arrived for idle_exit seconds',
      'INFO concurrent: Process 2 exited: exit code 0, no message arrived for idle_exit seconds',
    ]);
  });

  it('handles exactly message_limit messages, even when one process is killed', async () => {
    const folder = folderFor('fragile', VISIBILITY_TIMEOUT, 3);
    const queue = await openQueue(folder);
    await call(queue, ...numbers(30));
    const container = startIn(folder, '--message-limit', '20');
    expect(await container.exit()).to.equal(0);
    const all = done(container);
    expect(all).to.have.length(20);
    expect(new Set(all)).to.have.length(20);
    expect(existsSync(join(folder, 'killed'))).to.equal(true);
    expect(workers(container).length).to.be.at.least(2);
    await eventually(async () => (await queue.counts()).visible === 10);
    expect(await queue.counts()).to.deep.equal({ ...nothing, visible: 10 });
  });

  it('handles one message in total when the limit is 1', async () => {
    const folder = folderFor('steady', 'message_limit = 1\n');
    const queue = await openQueue(folder);
    await call(queue, ...numbers(4));
    const container = startIn(folder);
    expect(await container.exit()).to.equal(0);
    expect(done(container)).to.have.length(1);
    expect(await queue.counts()).to.deep.equal({ ...nothing, visible: 3 });
  });

  it('restarts a process that was killed, and loses no message', async () => {
    const folder = folderFor('fragile', VISIBILITY_TIMEOUT);
    const queue = await openQueue(folder);
    await call(queue, ...numbers(10));
    const container = startIn(folder);
    await eventually(() => done(container).length === 10);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    expect(done(container)).to.deep.equal(numbers(10).flat());
    // Ignores the exit by SIGTERM of a restarted process that was still starting at the end.
    const told = story(container).filter((line) => line.includes('killed by SIGKILL'));
    expect(told).to.have.length(1);
    expect(told[0]).to.match(
      /^ERROR concurrent: Process \d exited: killed by SIGKILL; restarting immediately$/,
    );
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('restarts a process that exits immediately less and less often', async () => {
    const container = startIn(folderFor('absent'));
    await container.prints(/Process 1 \(pid \d+\) started/, 3);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
    const [first, second] = story(container).filter((line) => line.includes('exit code 1'));
    expect(first).to.equal('ERROR concurrent: Process 1 exited: exit code 1; restarting immediately');
    expect(second).to.match(/Process 1 exited: exit code 1; restarting in (0\.9|1\.[01]) s$/);
    expect(container.stderr).not.to.contain('Process 2');
  });

  it('reports an error in the settings once, and exits with the code of one process', async () => {
    const settingsOf = (more: string) => folderFor('steady', more);
    const [file, worker, broker] = await Promise.all([
      run('concurrent', ['worker.ini'], { folder: settingsOf('poll = never\n') }),
      run('concurrent', ['worker.ini'], { folder: folderFor('nowhere', '') }),
      run('concurrent', ['worker.ini'], {
        folder: folderFor('steady', '[logger]\npath = none/worker.log\n'),
      }),
    ]);
    expect([file.ended, worker.ended, broker.ended]).to.deep.equal([78, 78, 78]);
    expect(file.stderr).not.to.contain('Process 1');
    expect(broker.stderr).not.to.contain('Process 1');
    expect(worker.stderr.match(/nowhere/g)).to.have.length(1);
    expect(story(worker)).to.deep.equal([
      'INFO concurrent: Process 1 started',
      'ERROR concurrent: Process 1 exited: exit code 78; not restarting it',
    ]);
  });

  for (const [title, signal, send] of [
    ['the messages of its processes after SIGTERM', 'SIGTERM', 'signal'],
    ["their messages after the terminal's Ctrl-C, which all of them get", 'SIGINT', 'signalGroup'],
  ] as const) {
    it(`finishes ${title}`, async () => {
      const { container, folder, queue } = await startBusy('patient');
      container[send](signal);
      await container.prints(new RegExp(`${signal}: draining$`));
      writeFileSync(join(folder, 'finish'), '');
      expect(await container.exit()).to.equal(0);
      expect(done(container)).to.deep.equal([1, 2]);
      expect(container.stderr.match(new RegExp(signal, 'g'))).to.have.length(1);
      expect(await queue.counts()).to.deep.equal(nothing);
    });
  }

  it('finishes their messages when systemd sends SIGTERM to all of them', async () => {
    const { container, folder } = await startBusy('patient');
    container.signalGroup('SIGTERM');
    await container.prints(/SIGTERM: draining$/, 3);
    writeFileSync(join(folder, 'finish'), '');
    expect(await container.exit()).to.equal(0);
    expect(done(container)).to.deep.equal([1, 2]);
  });

  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`ends all of them immediately after a second ${signal}`, async () => {
      const { container } = await startBusy('patient');
      container.signal(signal);
      await container.prints(new RegExp(`${signal}: draining$`));
      container.signal(signal);
      expect(await container.exit()).to.equal(code);
      // The system may still be killing them when the parent has exited; on their own, they would keep working.
      await eventually(() => !workers(container).some(processStartTime));
    });
  }

  it('drains when the parent is killed', async () => {
    const { container, folder, queue } = await startBusy('patient');
    container.signal('SIGKILL');
    await container.prints(/WARN concurrent: Parent process exited: draining$/, 2);
    writeFileSync(join(folder, 'finish'), '');
    expect(await container.exit()).to.equal('SIGKILL');
    expect(done(container)).to.deep.equal([1, 2]);
    await eventually(() => !workers(container).some(processStartTime));
    expect(await queue.counts()).to.deep.equal(nothing);
  });

  it('reopens the log files of all of them on SIGHUP', async () => {
    const { container, folder } = await startBusy('patient', '[logger]\npath = worker.log\n');
    const log = join(folder, 'worker.log');
    renameSync(log, `${log}.1`);
    container.signal('SIGHUP');
    await eventually(() => existsSync(log) && readFileSync(log, 'utf8').includes('reopened log files'));
    container.signal('SIGTERM');
    writeFileSync(join(folder, 'finish'), '');
    expect(await container.exit()).to.equal(0);
    expect(readFileSync(log, 'utf8').match(/Drained/g)).to.have.length(2);
    expect(readFileSync(`${log}.1`, 'utf8')).not.to.contain('Drained');
  });

  for (const program of ['concurrent', 'sequential'] as const) {
    it(`replaces a process of sqs-${program} that uses more than max_memory`, async () => {
      const folder = folderFor('greedy', 'max_memory = 250M\n', 1);
      const queue = await openQueue(folder);
      await call(queue, ...numbers(10));
      const container = start(program, ['worker.ini'], { folder, group: true });
      await container.prints(/Process 1 \(pid \d+\) exited: exit code 0$/);
      await call(queue, ...numbers(12).slice(10));
      await eventually(() => done(container).length === 12);
      container.signal('SIGTERM');
      expect(await container.exit()).to.equal(0);
      expect(done(container)).to.deep.equal(numbers(12).flat());
      expect(workers(container)).to.have.length(2);
      expect(story(container).slice(0, 4)).to.deep.equal([
        `INFO ${program}: Process 1 started`,
        story(container)[1],
        `INFO ${program}: Process 1 started`,
        `INFO ${program}: Process 1 exited: exit code 0`,
      ]);
      expect(story(container)[1]).to.match(
        /^WARN \w+: Process 1 used [2-9]\d\d MB, more than max_memory = 250 MB: replacing it immediately$/,
      );
    });
  }
});
