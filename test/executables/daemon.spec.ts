import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { processStartTime } from '../../src/host/process-start-time.ts';
import {
  cleanUp,
  type Executable,
  eventually,
  folderWith,
  putOff,
  run,
  start,
} from '../support/executable.ts';
import { call, openQueue, settings } from '../support/executable-brokers.ts';

const WORKER = `
  import { existsSync } from 'node:fs';
  export const worker = () => async (what) => {
    console.log('began', what, process.connected);
    while (!existsSync('finish')) await new Promise((resolve) => setTimeout(resolve, 10));
    console.log('did', what);
  };
  export const broken = () => { throw new TypeError('no mail server'); };
  export const slow = async () => {
    console.log('making');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  };
`;
const LOG = '[logger]\npath = worker.log\n';
const DAEMON = ['worker.ini', '--daemonize', '--pid-file', 'worker.pid'];
const STOP = ['worker.ini', '--stop', '--pid-file', 'worker.pid'];

function folderFor(exported: string, more = LOG): string {
  return folderWith({ 'worker.ini': settings(exported, more), 'worker.mjs': WORKER });
}

function contentOf(folder: string, name: string): string {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The process in the pid file, if any; killed at the end of the spec. */
function holderOf(folder: string): number {
  const pid = Number.parseInt(contentOf(folder, 'worker.pid'), 10);
  putOff(() => {
    if (processStartTime(pid) !== undefined) process.kill(pid, 'SIGKILL');
  });
  return pid;
}

describe('a container as a daemon', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  for (const [program, more] of [
    ['sequential', ''],
    ['concurrent', 'processes = 2\n'],
  ] as const) {
    it(`(sqs-${program}) continues in the background once it is ready, and --stop waits until it has drained`, async () => {
      const folder = folderFor('worker', more + LOG);
      await call(await openQueue(folder), ['one']);
      const starter = await run(program, DAEMON, { folder });
      expect(starter.ended, starter.output).to.equal(0);
      const pid = holderOf(folder);
      expect(starter.stdout).to.equal(
        `Process ${pid} is running in the background and logs to ${join(folder, 'worker.log')}\n`,
      );
      expect(contentOf(folder, 'worker.log')).to.match(new RegExp(`INFO ${program}: Connected`));
      expect(statSync(join(folder, 'worker.log')).mode & 0o007, 'rights of others').to.equal(0);
      await eventually(() => contentOf(folder, 'worker.log').includes('began one'));
      const stopping = start(program, STOP, { folder });
      await stopping.prints(new RegExp(`^Asked process ${pid} to drain`));
      await eventually(() => contentOf(folder, 'worker.log').includes('SIGTERM: draining'));
      expect(processStartTime(pid)).not.to.equal(undefined);
      writeFileSync(join(folder, 'finish'), '');
      expect(await stopping.exit()).to.equal(0);
      expect(stopping.stdout).to.match(new RegExp(`^Process ${pid} exited after`, 'm'));
      expect(processStartTime(pid)).to.equal(undefined);
      expect(contentOf(folder, 'worker.log')).to.contain('did one');
      expect(existsSync(join(folder, 'worker.pid'))).to.equal(false);
    });
  }

  it('has no channel to the process that started it, and its own session', async () => {
    const folder = folderFor('worker');
    await call(await openQueue(folder), ['one']);
    expect(await run('sequential', DAEMON, { folder })).to.have.property('ended', 0);
    const pid = holderOf(folder);
    await eventually(() => contentOf(folder, 'worker.log').includes('began one false'));
    const [, session] = / \w \d+ \d+ (\d+) /.exec(contentOf(`/proc/${pid}`, 'stat')) ?? [];
    expect(session).to.equal(String(pid));
  });

  it('that fails to start is reported, with its log and exit code', async () => {
    const folder = folderFor('broken');
    writeFileSync(join(folder, 'worker.log'), 'an old line\n');
    const starter = await run('sequential', DAEMON, { folder });
    holderOf(folder);
    expect(starter.ended).to.equal(78);
    expect(starter.stderr)
      .to.match(/ERROR sequential: .*no mail server/)
      .and.match(/\nThe daemon failed to start: exit code 78\n$/)
      .and.not.contain('an old line');
    expect(starter.stdout).to.equal('');
  });

  it('is refused, with the process ID, while another process holds its pid file', async () => {
    const folder = folderFor('worker');
    await openQueue(folder);
    expect(await run('sequential', DAEMON, { folder })).to.have.property('ended', 0);
    const pid = holderOf(folder);
    for (const args of [DAEMON, ['worker.ini', '--pid-file', 'worker.pid']]) {
      const second = await run('sequential', args, { folder });
      expect(second.ended).to.equal(64);
      expect(second.stderr).to.contain(`worker.pid is held by process ${pid}, which is running`);
    }
    expect(processStartTime(pid)).not.to.equal(undefined);
  });

  it('exits if the process that waits for it is stopped', async () => {
    const folder = folderFor('slow');
    await openQueue(folder);
    const starter = start('sequential', DAEMON, { folder });
    await eventually(() => contentOf(folder, 'worker.log').includes('making'));
    const pid = holderOf(folder);
    starter.signal('SIGINT');
    expect(await starter.exit()).not.to.equal(0);
    await eventually(() => processStartTime(pid) === undefined);
  });

  it('needs a log file', async () => {
    const starter = await run('sequential', DAEMON, { folder: folderFor('worker', '') });
    expect(starter.ended).to.equal(64);
    expect(starter.stderr).to.match(/^sqs-sequential: --daemonize: worker\.ini logs to the terminal/);
  });

  it('is not needed for a pid file, which also works after its process crashed', async () => {
    const folder = folderFor('worker', '');
    await openQueue(folder);
    const startOne = async (): Promise<Executable> => {
      const container = start('sequential', ['worker.ini', '--pid-file', 'worker.pid'], { folder });
      await container.prints(/Connected/);
      return container;
    };
    await (await startOne()).kill();
    const killed = contentOf(folder, 'worker.pid');
    expect(killed).to.match(/^\d+\n\w+\n$/);
    const next = await startOne();
    expect(contentOf(folder, 'worker.pid'))
      .to.match(/^\d+\n\w+\n$/)
      .and.not.equal(killed);
    next.signal('SIGTERM');
    expect(await next.exit()).to.equal(0);
    expect(existsSync(join(folder, 'worker.pid'))).to.equal(false);
    const stop = await run('sequential', STOP, { folder });
    expect(stop.ended).to.equal(0);
    expect(stop.stdout).to.equal(`Not running: no process holds ${join(folder, 'worker.pid')}\n`);
  });
});
