import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

describe('the crash record of several processes', function () {
  this.timeout(30_000);

  let folder: string;
  let children: ChildProcess[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crash-file-'));
    children = [];
  });

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  async function start(...commands: string[]): Promise<ChildProcess> {
    const child = fork(join(import.meta.dirname, 'crash-file-child.ts'), [folder], {
      execArgv: ['--import=tsx'],
    });
    children.push(child);
    await once(child, 'message');
    for (const command of commands) await tell(child, command);
    return child;
  }

  it('counts the processes that a message crashed, however it did', async () => {
    const first = await start('open', 'run innocent', 'end innocent', 'run poison');
    first.send('exit');
    await once(first, 'exit');

    const second = await start('open', 'run poison');
    expect(await tell(second, 'crashes poison')).to.equal(1);
    await kill(second);

    const third = await start('open');
    expect(await tell(third, 'crashes poison')).to.equal(2);
    expect(await tell(third, 'crashes innocent')).to.equal(0);
  });

  it('keeps counting, whichever process a message crashes', async () => {
    const [one, other] = await Promise.all([start('open', 'run poison'), start('open')]);
    await kill(one);
    await start('open');
    // It sees the count without a restart.
    expect(await tell(other, 'crashes poison')).to.equal(1);
    await tell(other, 'run poison');
    await kill(other);
    expect(await tell(await start('open'), 'crashes poison')).to.equal(2);
  });

  it('does not count messages of living processes', async () => {
    const living = await start('open', 'run slow');
    const starting = await start('open');
    expect(await tell(starting, 'crashes slow')).to.equal(0);
    await kill(living);
    expect(await tell(await start('open'), 'crashes slow')).to.equal(1);
  });

  it('counts each crash once when several processes start at the same time', async () => {
    await kill(await start('open', 'run poison'));
    const left = join(folder, readdirSync(folder)[0]!);
    // No process has such high IDs.
    for (let crash = 1; crash < 300; crash += 1) {
      copyFileSync(left, left.replace(/\.running\..*/, `.running.${2 ** 30 + crash}.1`));
    }
    const starting = await Promise.all([start(), start(), start()]);
    await Promise.all(starting.map((child) => tell(child, 'open')));
    for (const child of starting) expect(await tell(child, 'crashes poison')).to.equal(300);
  });

  it('leaves nothing behind when all processes exit cleanly', async () => {
    const [one, other] = await Promise.all([start('open', 'run a'), start('open', 'run b', 'end b')]);
    expect(readdirSync(folder)).to.have.length(2);
    await tell(one, 'close');
    await tell(other, 'close');
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});

async function tell(child: ChildProcess, command: string): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(command);
  return (await answer)[0];
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
