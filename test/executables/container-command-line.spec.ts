import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUp, folderWith, run } from '../support/executable.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/** An older Node.js, if this machine has one in addition to the one that runs the specs. */
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find(
  (file) => existsSync(file) && /^v(\d|1\d|2[0-3])\./.test(String(spawnSync(file, ['--version']).stdout)),
);

describe('the command line of sqs-sequential', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('is explained by --help, including exit codes and signals', async () => {
    const folder = folderWith({});
    for (const option of ['--help', '-h']) {
      const { stdout, stderr, ended } = await run('sequential', [option], { folder });
      expect(ended).to.equal(0);
      expect(stderr).to.equal('');
      for (const told of ['FILE', '--check', '--message-limit', '--idle-exit', 'Exit codes', 'Signals']) {
        expect(stdout).to.contain(told);
      }
    }
  });

  it('prints the version with --version', async () => {
    const { stdout, ended } = await run('sequential', ['--version'], { folder: folderWith({}) });
    expect({ stdout, ended }).to.deep.equal({ stdout: `${version}\n`, ended: 0 });
  });

  it('is in English, regardless of the locale', async () => {
    const folder = folderWith({});
    const { stderr } = await run('sequential', ['--foo'], { folder, environment: { LC_ALL: 'de_DE.UTF-8' } });
    expect(stderr).to.contain('Unknown option --foo');
  });

  it('reports mistakes on standard error, and exits with 64', async () => {
    const { stdout, stderr, ended } = await run('sequential', [], { folder: folderWith({}) });
    expect({ stdout, ended }).to.deep.equal({ stdout: '', ended: 64 });
    expect(stderr).to.equal('sqs-sequential: Specify an ini file.\nSee sqs-sequential --help.\n');
  });

  it('reports on one line that Node.js is too old', async function () {
    if (oldNode === undefined) this.skip();
    for (const program of ['sequential', 'queues'] as const) {
      const { output, ended } = await run(program, ['--help'], { folder: folderWith({}), node: oldNode });
      expect(ended).to.equal(78);
      expect(output.trim()).to.match(/^sqs-containers needs Node\.js 24\.15 or newer; this is v\S+\.$/);
    }
  });
});

const WORKERS = `
  import { appendFileSync } from 'node:fs';
  import { connect } from 'node:net';
  import { TransientError } from 'sqs-containers';
  appendFileSync('loaded', '');
  export const adder = (config) => { appendFileSync('called', config.name ?? ''); return () => {}; };
  export const five = 5;
  export const broken = () => { throw new TypeError('no such option'); };
  export const waiting = () => { throw new TransientError('the database is still starting'); };
  export const connecting = () => new Promise((_, reject) => connect(1, '127.0.0.1').on('error', reject));
  export const nothing = () => undefined;
`;

function settings(worker: string, more = ''): string {
  return `[container]\nworker = ${worker}\nqueue = adder\nbroker = sqlite:queues.db\n${more}`;
}

describe('the configuration of sqs-sequential', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('must be in a file that exists', async () => {
    const { stderr, ended } = await run('sequential', ['worker.ini'], { folder: folderWith({}) });
    expect(ended).to.equal(78);
    expect(stderr).to.equal('worker.ini: the file does not exist; name an existing ini file\n');
  });

  it('is refused if it is invalid, and each mistake is listed with its line, with and without --check', async () => {
    const text = settings(
      './workers.mjs:adder',
      'pol = 5\non_error = ignore\nmessage_limit = 0\n[logger]\nlevel = loud\n',
    );
    const folder = folderWith({ 'worker.ini': text, 'workers.mjs': WORKERS });
    const runs = await Promise.all([
      run('sequential', ['worker.ini'], { folder }),
      run('sequential', ['--check', 'worker.ini'], { folder }),
    ]);
    for (const { stdout, stderr, ended } of runs) {
      expect(ended).to.equal(78);
      expect(stdout).to.equal('');
      expect(stderr.trimEnd().split('\n').map(placeOf)).to.deep.equal([
        'worker.ini:5: [container] pol',
        'worker.ini:6: [container] on_error = "ignore"',
        'worker.ini:7: [container] message_limit = "0"',
        'worker.ini:9: [logger] level = "loud"',
      ]);
    }
    expect(readdirSync(folder)).not.to.include.members(['loaded']);
  });

  it('is refused if a log file cannot be written, and the error names the file', async () => {
    const text = settings('./workers.mjs:adder', '[logger.messages]\npath = ./missing/messages.log\n');
    const folder = folderWith({ 'worker.ini': text, 'workers.mjs': WORKERS });
    const { stderr, ended } = await run('sequential', ['worker.ini'], { folder });
    expect(ended).to.equal(78);
    expect(stderr).to.match(/^worker\.ini: \[logger\.messages\] path = ".*missing\/messages\.log": /);
  });

  it('is printed by --check as resolved settings, without changing anything', async () => {
    const text = settings(
      './workers.mjs:adder',
      'poll = 1m\n[worker]\nname = tester\napi_key = abc\n[logger.messages]\npath = messages.log\n',
    );
    const folder = folderWith({ 'worker.ini': text, 'workers.mjs': WORKERS });
    const { stdout, stderr, ended } = await run(
      'sequential',
      ['--check', '--message-limit', '7', 'worker.ini'],
      { folder },
    );
    expect({ stderr, ended }).to.deep.equal({ stderr: '', ended: 0 });
    const lines = stdout.split('\n');
    expect(lines).to.include.members([
      'worker = ./workers.mjs:adder',
      `broker = sqlite:${join(folder, 'queues.db')}`,
      'poll = 60',
      'message_limit = 7',
      'name = tester',
      'api_key = ***',
      `path = ${join(folder, 'messages.log')}`,
    ]);
    expect(readdirSync(folder).sort()).to.deep.equal(['loaded', 'node_modules', 'worker.ini', 'workers.mjs']);
  });

  for (const [title, worker, told] of [
    [
      'whose module is missing',
      './nowhere.mjs:adder',
      /^Cannot find module \.\/nowhere\.mjs: the file .* does not exist/,
    ],
    [
      'that its module does not export',
      './workers.mjs:addr',
      /^\.\/workers\.mjs has no export "addr"\. It has: adder, broken, connecting, five, nothing, waiting\.$/,
    ],
    [
      'that is not a function',
      './workers.mjs:five',
      /^\.\/workers\.mjs:five is the number 5, not a function: /,
    ],
  ] as const) {
    it(`is refused if it names a worker ${title}, with and without --check`, async () => {
      const folder = folderWith({ 'worker.ini': settings(worker), 'workers.mjs': WORKERS });
      const [checked, started] = await Promise.all([
        run('sequential', ['--check', 'worker.ini'], { folder }),
        run('sequential', ['worker.ini'], { folder }),
      ]);
      expect([checked.ended, started.ended]).to.deep.equal([78, 78]);
      expect([checked.stdout, started.stdout]).to.deep.equal(['', '']);
      expect(checked.stderr.trimEnd()).to.match(told);
      expect(messageOf(started.stderr)).to.match(told);
    });
  }

  it('is refused if the worker factory throws, with its stack', async () => {
    const folder = folderWith({ 'worker.ini': settings('./workers.mjs:broken'), 'workers.mjs': WORKERS });
    const { stderr, ended } = await run('sequential', ['worker.ini'], { folder });
    expect(ended).to.equal(78);
    expect(messageOf(stderr)).to.equal('The worker factory ./workers.mjs:broken failed: no such option');
    expect(stderr).to.match(/^ +at broken .*workers\.mjs/m);
  });

  it('is accepted if the worker factory cannot reach its database: the exit code allows a restart', async () => {
    const folder = folderWith({ 'worker.ini': settings('./workers.mjs:connecting'), 'workers.mjs': WORKERS });
    const { stderr, ended } = await run('sequential', ['worker.ini'], { folder });
    expect(ended).to.equal(69);
    expect(messageOf(stderr)).to.match(/^The worker factory \.\/workers\.mjs:connecting failed: /);
  });

  it('is refused if the worker factory returns nothing', async () => {
    const folder = folderWith({ 'worker.ini': settings('./workers.mjs:nothing'), 'workers.mjs': WORKERS });
    const { stderr, ended } = await run('sequential', ['worker.ini'], { folder });
    expect(ended).to.equal(78);
    expect(messageOf(stderr)).to.match(/^The worker factory \.\/workers\.mjs:nothing returned undefined: /);
  });

  it('is accepted if the worker factory throws a TransientError: the exit code allows a restart', async () => {
    const folder = folderWith({ 'worker.ini': settings('./workers.mjs:waiting'), 'workers.mjs': WORKERS });
    const { stderr, ended } = await run('sequential', ['worker.ini'], { folder });
    expect(ended).to.equal(69);
    expect(stderr.trimEnd().split('\n')).to.have.lengthOf(1);
    expect(messageOf(stderr)).to.contain('the database is still starting');
  });
});

/** The location and the value of a problem in an ini file. */
function placeOf(problem: string): string {
  return /^\S+ \[\w+\] \w+( = "\w+")?/.exec(problem)?.[0] ?? problem;
}

/** The message of the first line of a log. */
function messageOf(log: string): string {
  return /^\S+Z ERROR sequential: (.*)$/m.exec(log)?.[1] ?? log;
}
