import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { stopProcess } from '../../src/host/daemon.ts';
import { claimPidFile, PidFileError, pidFileHolder } from '../../src/host/pid-file.ts';
import { processStartTime } from '../../src/host/process-start-time.ts';
import { codePoint } from '../support/code-point.ts';
import { rejection } from '../support/rejection.ts';

/** Larger than any process ID. */
const NOBODY = 2 ** 22 + 1;

describe('a pid file', () => {
  let folder: string;
  let path: string;
  let other: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pid-file-'));
    path = join(folder, 'worker.pid');
  });
  afterEach(async () => {
    if (other?.exitCode === null && other.signalCode === null) {
      other.kill('SIGKILL');
      await once(other, 'exit');
    }
    other = undefined;
    rmSync(folder, { recursive: true });
  });

  /** Starts a process, which may ignore TERM, and writes its ID into the file. */
  async function hold(script: string): Promise<number> {
    other = spawn('sh', ['-c', `${script}; echo ready; while :; do sleep 0.05; done`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout!, 'data');
    const pid = other.pid ?? 0;
    writeFileSync(path, `${pid}\n${processStartTime(pid)}\n`);
    return pid;
  }

  it('has the process ID on its first line, and is removed at the end', () => {
    const release = claimPidFile(path);
    expect(readFileSync(path, 'latin1')).to.equal(`${process.pid}\n${processStartTime(process.pid)}\n`);
    expect(readdirSync(folder)).to.deep.equal(['worker.pid']);
    release();
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('is not removed once another process holds it', () => {
    const release = claimPidFile(path);
    writeFileSync(path, '1\n');
    release();
    expect(readFileSync(path, 'latin1')).to.equal('1\n');
  });

  it('is refused, with the process ID, while its process runs', async () => {
    const pid = await hold(':');
    expect(pidFileHolder(path)).to.deep.equal({ pid, start: processStartTime(pid) });
    expect(() => claimPidFile(path)).to.throw(
      PidFileError,
      `${path} is held by process ${pid}, which is running: stop it first, or use another file`,
    );
    expect(readdirSync(folder)).to.deep.equal(['worker.pid']);
  });

  it('is checked by process ID alone if it contains nothing else', async () => {
    const pid = await hold(':');
    writeFileSync(path, `${pid}`);
    expect(pidFileHolder(path)).to.deep.equal({ pid, start: '' });
  });

  for (const [title, text] of [
    ['whose process has ended', `${NOBODY}\n17430211\n`],
    ['with the id of a process that has ended, which another one has now', `${process.ppid}\n1\n`],
    ['with the id of this process, which an earlier one had', `${process.pid}\n`],
  ] as const) {
    it(`${title} is replaced`, () => {
      writeFileSync(path, text);
      expect(pidFileHolder(path)).to.equal(undefined);
      claimPidFile(path);
      expect(readFileSync(path, 'latin1')).to.match(new RegExp(`^${process.pid}\n`));
      expect(readdirSync(folder)).to.deep.equal(['worker.pid']);
    });
  }

  it('is left alone if it is another kind of file', () => {
    writeFileSync(path, '[container]\n');
    expect(() => claimPidFile(path)).to.throw(
      PidFileError,
      'is not a pid file: it does not contain a process ID',
    );
    expect(readFileSync(path, 'latin1')).to.equal('[container]\n');
  });

  it('yields a process, no process or an error, whatever it contains', () => {
    const text = fc.oneof(
      fc.string({ unit: codePoint }),
      fc.stringMatching(/^-?\d{0,12}\n?\w{0,10}\s{0,2}$/),
      fc.constantFrom(
        '0',
        '0\n',
        '-1',
        '1e3',
        '00',
        '4194305',
        '99999999999999999999',
        `${'1'.repeat(100_000)}!`,
      ),
    );
    fc.assert(
      fc.property(text, (text) => {
        writeFileSync(path, text);
        try {
          // A signal to process ID 0 would go to the sender's whole process group.
          expect(pidFileHolder(path)?.pid ?? 1).to.be.within(1, 2 ** 22);
        } catch (error) {
          expect(error).to.be.instanceOf(PidFileError);
        }
      }),
    );
  });

  it('does not follow a symbolic link that another user has put in its place', () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'as it was');
    symlinkSync(victim, `${path}.${process.pid}`);
    const release = claimPidFile(path);
    expect(readFileSync(victim, 'utf8')).to.equal('as it was');
    release();
    symlinkSync(victim, path);
    expect(() => claimPidFile(path)).to.throw(PidFileError);
    expect(readFileSync(victim, 'utf8')).to.equal('as it was');
  });

  it('is readable by all users and writable by its owner, whatever the umask', () => {
    const umask = process.umask(0);
    claimPidFile(path);
    process.umask(umask);
    expect(statSync(path).mode & 0o777).to.equal(0o644);
  });

  it('is refused in a missing folder', () => {
    const missing = join(folder, 'missing/worker.pid');
    expect(() => claimPidFile(missing)).to.throw(
      PidFileError,
      `The pid file ${missing} cannot be written: ENOENT`,
    );
  });

  describe('used to stop a process', () => {
    const said: string[] = [];
    const say = (line: string) => said.push(line);
    beforeEach(() => {
      said.length = 0;
    });

    it('waits until the process exits', async () => {
      const pid = await hold(`trap 'sleep 0.2; exit' TERM`);
      expect(await stopProcess(path, 10, say)).to.equal(true);
      expect(processStartTime(pid)).to.equal(undefined);
      expect(said[0]).to.equal(`Asked process ${pid} to drain; this may take up to 10 s`);
      expect(said[1]).to.match(new RegExp(`^Process ${pid} exited after \\d+\\.\\d s$`));
    });

    it('waits no longer than it should', async () => {
      const pid = await hold(`trap '' TERM`);
      expect(await stopProcess(path, 0.1, say)).to.equal(false);
      expect(said[1]).to.equal(`Process ${pid} is still running after 0.1 s`);
    });

    it('reports that the process is not running', async () => {
      expect(await stopProcess(path, 10, say)).to.equal(true);
      expect(said).to.deep.equal([`Not running: no process holds ${path}`]);
    });

    it('does not stop a process named in another kind of file', async () => {
      writeFileSync(path, '-1\n');
      expect(await rejection(stopProcess(path, 10, say))).to.be.instanceOf(PidFileError);
    });
  });
});
