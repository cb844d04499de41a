import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { longNames, optionBefore, optionsOf, plainWords } from '../../src/cli/completion-words.ts';
import { cleanUp, folderWith, run } from '../support/executable.ts';
import { openQueue, settings } from '../support/executable-brokers.ts';
import { runQueues } from '../support/queues-command.ts';
import { zsh } from '../support/servers/programs.ts';

const DIST = join(import.meta.dirname, '../../dist/containers');
const INI = settings('worker', 'queue_prefix = anna\ndead_letter_queue = failed\nsuffixes = big, small\n');

describe('the words offered to a shell', () => {
  const options = optionsOf(
    'Usage\n\nOptions:\n  -c, --config  A file of\n                some --kind   [string]\n      --json    JSON  [boolean]\n',
  );

  it('are the options of --help', () => {
    expect(options).to.deep.equal([
      { names: ['-c', '--config'], takesValue: true },
      { names: ['--json'], takesValue: false },
    ]);
    expect(longNames(options)).to.deep.equal(['--config', '--json']);
  });

  it('distinguish option values from other words', () => {
    const line = { given: ['a', '--json', 'b', '-c', 'c', '--config'], current: '' };
    expect(plainWords(line, options)).to.deep.equal(['a', 'b']);
    expect(optionBefore(line, options)?.names).to.include('--config');
    expect(optionBefore({ given: ['--json'], current: '' }, options)).to.equal(undefined);
  });
});

describe('completing a command line', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  let folder: string;
  beforeEach(() => {
    folder = folderWith({ 'worker.ini': INI });
  });

  async function offered(program: 'queues' | 'sequential', ...words: string[]): Promise<string[]> {
    const args = ['--complete', `sqs-${program}`, ...words];
    const { stdout, stderr, ended } = await (program === 'queues'
      ? runQueues(args, { folder })
      : run(program, args, { folder }));
    expect({ stderr, ended }).to.deep.equal({ stderr: '', ended: 0 });
    return stdout.split('\n').filter((word) => word !== '');
  }

  it('offers commands, options, shells and queue names', async () => {
    await openQueue(folder);
    const sqlite = ['-b', 'sqlite:queues.db'];
    expect(await offered('queues', '')).to.include.members(['status', 'peek', 'redrive', 'completion']);
    expect(await offered('queues', 'peek', '--')).to.include.members(['--count', '--config', '--json']);
    expect(await offered('queues', 'completion', '')).to.deep.equal(['bash', 'zsh']);
    expect(await offered('queues', ...sqlite, 'peek', 'jo')).to.deep.equal(['jobs']);
    expect(await offered('queues', 'peek', 'jobs', ...sqlite, '')).to.deep.equal([]);
    expect(await offered('queues', 'clear', 'jobs', ...sqlite, '')).to.deep.equal(['jobs']);
    expect(await offered('queues', 'redrive', ...sqlite, '--to', '')).to.deep.equal(['jobs']);
    expect(await offered('queues', 'redrive', ...sqlite, '--match', '')).to.deep.equal([]);
  });

  it('offers names without the prefix of an ini file, and the names in the file if the broker fails', async () => {
    const queue = await openQueue(folder);
    expect(queue.name).to.equal('jobs');
    expect(await offered('queues', 'peek', '--config=worker.ini', '')).to.deep.equal([]);
    const unreachable = folderWith({
      'worker.ini': INI.replace('sqlite:queues.db', 'sqlite:missing/queues.db'),
    });
    folder = unreachable;
    expect(await offered('queues', 'peek', '-c', 'worker.ini', '')).to.deep.equal(['jobs', 'failed']);
  });

  it('offers and prints nothing on errors', async () => {
    expect(await offered('queues', 'peek', '-c', 'missing.ini', '')).to.deep.equal([]);
    expect(await offered('queues', 'nonsense', '')).to.deep.equal([]);
  });

  it("offers a container's options, and the queues and suffixes of its ini file", async () => {
    expect(await offered('sequential', 'worker.ini', '--')).to.include.members(['--check', '--queue']);
    expect(await offered('sequential', 'worker.ini', '--queue', '')).to.deep.equal(['jobs']);
    expect(await offered('sequential', 'worker.ini', '--suffix', '')).to.deep.equal(['big', 'small']);
    expect(await offered('sequential', '')).to.deep.equal([]);
    expect(await offered('sequential', 'missing.ini', '--queue', '')).to.deep.equal([]);
  });

  for (const [shell, script] of [
    ['bash', `COMP_LINE="$LINE" COMP_POINT=\${#LINE}; _sqs_containers; printf "%s\\n" "\${COMPREPLY[@]}"`],
    [
      'zsh',
      `compadd() { shift; print -rl -- \${(P)1} }; _files() { print files }; words=(\${=LINE}); CURRENT=$#words; _sqs_containers`,
    ],
  ] as const) {
    it(`works in ${shell}`, async function () {
      if (shell === 'zsh' && !zsh.isInstalled()) this.skip();
      await openQueue(folder);
      const { stdout } = await run('queues', ['completion', shell], { folder });
      const program = `sqs-queues() { ${process.execPath} ${DIST}/queues.js "$@"; }`;
      const prelude = shell === 'zsh' ? 'compdef() { : }' : '';
      const complete = (LINE: string) =>
        spawnSync(shell, ['-c', [program, prelude, stdout, script].join('\n')], {
          cwd: folder,
          env: { PATH: process.env.PATH, HOME: folder, LINE },
          encoding: 'utf8',
        }).stdout.split('\n');
      expect(complete('sqs-queues re')).to.include('redrive');
      expect(complete('sqs-queues peek -b sqlite:queues.db jo')).to.include('jobs');
    });
  }
});
