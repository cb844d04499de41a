import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { openBroker } from '../../src/brokers/open.ts';
import { cleanUp, eventually, folderWith, putOff } from '../support/executable.ts';
import { openQueue } from '../support/executable-brokers.ts';
import { folderOf } from '../support/servers/programs.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/containers/queues.js');

/** `sqs-queues` on a terminal, provided by `script` (util-linux). */
class Terminal {
  output = '';
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown[]>;

  constructor(folder: string, ...args: string[]) {
    const command = [process.execPath, PROGRAM, ...args, '-b', 'sqlite:queues.db'].join(' ');
    this.#child = spawn('script', ['-qefc', `stty cols 120; exec ${command}`, '/dev/null'], {
      cwd: folder,
      env: { PATH: process.env.PATH, HOME: folder, TERM: 'xterm', NO_COLOR: '1' },
    });
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.#closed = once(this.#child, 'close');
    putOff(() => {
      this.#child.kill('SIGKILL');
      return this.#closed;
    });
  }

  async shows(pattern: RegExp): Promise<void> {
    await eventually(() => pattern.test(this.plain) || this.#child.exitCode !== null);
    expect(this.plain).to.match(pattern);
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  async exit(): Promise<number> {
    const [code] = await this.#closed;
    return code as number;
  }

  /** Without colors and cursor movements. */
  get plain(): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
    return this.output.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  }
}

describe('sqs-queues on a terminal', function () {
  this.timeout(30_000);
  before(function () {
    if (folderOf('script') === undefined) this.skip();
  });
  afterEach(cleanUp);

  let folder: string;
  beforeEach(() => {
    folder = folderWith({});
  });

  it('shows the status as a table, with numbers right-aligned', async () => {
    const queue = await openQueue(folder);
    await queue.send([{ body: 'a' }, { body: 'b' }]);
    const terminal = new Terminal(folder, 'status');
    expect(await terminal.exit()).to.equal(0);
    expect(terminal.plain).to.match(/│ queue │ visible │ in flight │ delayed │ oldest +│/);
    expect(terminal.plain).to.match(/│ jobs {2}│ {7}2 │ {9}0 │ {7}0 │ \d+ s +│/);
    // NO_COLOR is set.
    expect(terminal.output).to.equal(terminal.plain);
  });

  it('reports that there are no queues', async () => {
    await (await openBroker('sqlite:queues.db', { directory: folder })).close();
    const terminal = new Terminal(folder, 'status');
    expect(await terminal.exit()).to.equal(0);
    expect(terminal.plain).to.match(/^There are no queues in sqlite:.*queues\.db\.\s+$/);
  });

  it('asks before it clears a queue, and accepts only a yes', async () => {
    const queue = await openQueue(folder);
    await queue.send([{ body: 'a' }]);
    for (const [answer, code, visible] of [
      ['\r', 64, 1],
      ['n\r', 64, 1],
      ['\u0004', 64, 1],
      ['y\r', 0, 0],
    ] as const) {
      const terminal = new Terminal(folder, 'clear', 'jobs');
      await terminal.shows(/jobs has 1 message\.\s+Delete all of them\? \[y\/N\] $/);
      terminal.type(answer);
      expect(await terminal.exit()).to.equal(code);
      expect(terminal.plain).to.contain(code === 0 ? 'Deleted 1 message from jobs.' : 'Nothing was deleted.');
      expect(await queue.counts()).to.include({ visible });
    }
  });

  it('shows the progress of a wait with a bar, the rate and the time left', async () => {
    const queue = await openQueue(folder);
    await queue.send([{ body: 'a' }, { body: 'b' }, { body: 'c' }, { body: 'd' }]);
    const terminal = new Terminal(folder, 'wait', 'jobs', '--every', '100ms', '--cycles', '1');
    await terminal.shows(/░{30} 0 of 4 {2}0\.0\/s/);
    const messages = await queue.receive({ max: 2, waitSeconds: 0 });
    await queue.delete(messages.map(({ receiptHandle }) => receiptHandle));
    await terminal.shows(/█{15}░{15} 2 of 4 {2}\d+\.\d\/s {2}\d+ s left/);
    await queue.purge();
    expect(await terminal.exit()).to.equal(0);
    expect(terminal.plain).to.match(/█{30} 4 of 4 .*\s+Empty: jobs/);
  });

  it('returns the messages it holds when Ctrl-C ends a redrive', async () => {
    const queue = await openQueue(folder);
    for (let sent = 0; sent < 3_000; sent += 10) {
      await queue.send(Array.from({ length: 10 }, () => ({ body: 'x' })));
    }
    await new Terminal(folder, 'create', 'other').exit();
    const terminal = new Terminal(folder, 'redrive', 'jobs', '--to', 'other', '--match', 'x');
    await terminal.shows(/ [1-9]\d* of 3000 /);
    terminal.type('\u0003');
    expect(await terminal.exit()).to.equal(75);
    const { visible, inFlight } = await queue.counts();
    expect(inFlight).to.equal(0);
    expect(visible).to.be.within(1, 2_990);
    expect(terminal.plain).to.contain(`Moved ${(3_000 - visible).toLocaleString('en-US')} of 3,000 messages`);
  });
});
