import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUp, folderWith, run } from '../support/executable.ts';
import { runQueues } from '../support/queues-command.ts';

describe('the command line of sqs-queues', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('explains each command', async () => {
    const folder = folderWith({});
    for (const [args, ...told] of [
      [['--help'], 'status', 'send', 'create', '--config', '--broker', '--json'],
      [['send', '--help'], '--kw', '--from', '--delay', '--group', 'sqs-queues send adder 1 2 3'],
      [['create', '-h'], '--visibility-timeout', '--dead-letter-queue', '--max-receives', '--retention'],
    ] as const) {
      const { stdout, ended } = await runQueues(args, { folder });
      expect(ended).to.equal(0);
      for (const text of told) expect(stdout).to.contain(text);
    }
  });

  it('reports mistakes on standard error and exits with code 64', async () => {
    const { stdout, stderr, ended } = await runQueues(['create'], { folder: folderWith({}) });
    expect({ stdout, ended }).to.deep.equal({ stdout: '', ended: 64 });
    expect(stderr).to.equal('sqs-queues: Name a queue.\nSee sqs-queues --help.\n');
  });

  it('never shows the password of an address', async () => {
    const folder = folderWith({});
    const address = 'mysql://me:s3cret@127.0.0.1/queues';
    const runs = await Promise.all([
      run('queues', ['status', '-b', address], { folder }),
      run('queues', ['status'], { folder, environment: { SQS_CONTAINERS_BROKER: address } }),
    ]);
    for (const { output, ended } of runs) {
      expect(ended).to.equal(78);
      expect(output).to.contain('Unknown broker "mysql://me:***@127.0.0.1/queues"').and.not.contain('s3cret');
    }
  });

  it('refuses queues in memory, which belong to another process', async () => {
    const { stderr, ended } = await run('queues', ['send', 'jobs', '-b', 'memory:'], {
      folder: folderWith({}),
    });
    expect(ended).to.equal(64);
    expect(stderr).to.contain('Queues in memory: exist only in the process that opened them');
  });

  it('does not create a queue file for commands that only read', async () => {
    const folder = folderWith({});
    const looks = ['status', 'peek x', 'clear x --yes', 'wait x', 'redrive x'].map((text) => text.split(' '));
    const runs = await Promise.all(
      looks.map((words) => runQueues([...words, '-b', 'sqlite:typo.db'], { folder })),
    );
    for (const { stderr, ended } of runs) {
      expect(ended).to.equal(69);
      expect(stderr).to.contain(
        `The queue file ${join(folder, 'typo.db')} does not exist. Correct the path, or create it:`,
      );
    }
    expect(existsSync(join(folder, 'typo.db'))).to.equal(false);
  });

  it('exits with code 69 when the broker is unreachable', async () => {
    const folder = folderWith({
      'notes.txt': 'This is not a queue file, but it is long enough to be read as one.',
    });
    const runs = await Promise.all([
      run('queues', ['status'], { folder }),
      run('queues', ['status', '-b', 'sqlite:missing/queues.db'], { folder }),
      run('queues', ['status', '-b', 'sqlite:notes.txt'], { folder }),
      run('queues', ['status', 'jobs', '-b', 'sqs+http://127.0.0.1:1'], { folder }),
    ]);
    expect(runs.map(({ ended }) => ended)).to.deep.equal([69, 69, 69, 69]);
    const [noRegion, noFolder, noQueues, nobody] = runs.map(({ stderr }) => stderr);
    expect(noRegion).to.contain('No AWS region');
    expect(noFolder).to.match(/The folder .*missing for the queue file .* does not exist/);
    expect(noQueues).to.contain('notes.txt');
    expect(nobody).to.contain('ECONNREFUSED');
  });
});
