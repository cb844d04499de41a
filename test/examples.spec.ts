/** Runs the examples as a new user would: with the compiled executables, on a copy of the files. */
import { execFile } from 'node:child_process';
import { cpSync, globSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { startFauxqs } from 'fauxqs';
import { FakeMailServer } from '../examples/fake-mail-server.ts';
import {
  cleanUp,
  type Executable,
  eventually,
  folderWith,
  type StartOptions,
  start,
} from './support/executable.ts';
import { runQueues } from './support/queues-command.ts';

const repository = resolve(import.meta.dirname, '..');

describe('the examples', function () {
  // Each runs several programs, one after another.
  this.timeout(30_000);
  let options: StartOptions;

  beforeEach(() => {
    const folder = folderWith({});
    for (const name of ['config.example.ini', 'examples']) {
      cpSync(join(repository, name), join(folder, name), { recursive: true });
    }
    options = { folder };
  });
  afterEach(cleanUp);

  async function succeeds(executable: Executable): Promise<Executable> {
    expect(await executable.exit(), executable.output).to.equal(0);
    return executable;
  }
  const sequential = (...args: string[]) => start('sequential', args, options);
  const queues = (...args: string[]) => succeeds(start('queues', args, options));

  it('all have a valid configuration', async () => {
    const files = globSync(['*.ini', 'examples/**/*.ini'], { cwd: options.folder });
    expect(files).to.include.members([
      'config.example.ini',
      'examples/email.ini',
      'examples/folder-broker/worker.ini',
      'examples/mail-service/worker.ini',
      'examples/primes.ini',
    ]);
    await Promise.all(files.map((file) => succeeds(sequential(file, '--check'))));
  });

  it('add, with the two commands in the README', async () => {
    const container = sequential('config.example.ini');
    await container.prints(/Connected/);
    await queues('send', 'adder', '1', '2', '3', '-c', 'config.example.ini');
    await container.prints(/^1 \* \(1 \+ 2 \+ 3\) = 6$/);
    container.signal('SIGTERM');
    await succeeds(container);
  });

  it('add messages from a folder, through a custom broker', async () => {
    const file = 'examples/folder-broker/worker.ini';
    const status = async () => (await queues('status', '-c', file)).stdout.split('\n').slice(1);
    expect(await status()).to.deep.equal(['adder\t0\t0\t0\t\t', '']);
    await queues('create', 'adder-failed', '-c', file);
    const made = await queues(
      ...['create', 'adder', '--dead-letter-queue', 'adder-failed', '--max-receives', '2', '-c', file],
    );
    expect(made.stdout).to.equal(
      `Created queue adder in the folder ${join(options.folder, 'examples/folder-broker/queues')}\n`,
    );
    await queues('send', 'adder', '1', '2', '3', '-c', file);
    expect(await status()).to.deep.equal(['adder\t1\t0\t0\t\t', '']);
    const container = await succeeds(sequential(file, '--message-limit', '1'));
    expect(container.stdout).to.equal('1 * (1 + 2 + 3) = 6\n');
    expect(await status()).to.deep.equal(['adder\t0\t0\t0\t\t', '']);
  });

  it('share a folder among processes, each message handled by one of them', async () => {
    const file = 'examples/folder-broker/worker.ini';
    const numbers = Array.from({ length: 300 }, (_, index) => index);
    const bodies = numbers.map((number) => `[[${number},0,0],{}]\n`).join('');
    writeFileSync(join(options.folder, 'bodies'), bodies);
    await queues('send', 'adder', '--from', 'bodies', '-c', file);
    const containers = [1, 2, 3].map(() => start('concurrent', [file, '--idle-exit', '1'], options));
    // A process that starts late finds no messages left, and prints nothing.
    const lines = (await Promise.all(containers.map(succeeds))).flatMap(({ stdout }) =>
      stdout.split('\n').filter((line) => line !== ''),
    );
    const expected = numbers.map((number) => `1 * (${number} + 0 + 0) = ${number}`);
    expect(lines.sort()).to.deep.equal(expected.sort());
  });

  it('count primes', async () => {
    await queues('send', 'primes', '1000', '-c', 'examples/primes.ini');
    const container = await succeeds(sequential('examples/primes.ini', '--message-limit', '1'));
    expect(container.stdout).to.equal('168 primes up to 1000\n');
  });

  it('stop counting immediately, and start again later', async () => {
    await queues('send', 'primes', '1e9', '-c', 'examples/primes.ini');
    // Without the message's age and the dead letters.
    const status = async () => {
      const { stdout } = await runQueues(['status', '-c', 'examples/primes.ini'], options);
      const [, row = ''] = stdout.split('\n');
      return row.split('\t').slice(0, 4).join(' ');
    };
    const container = sequential('examples/primes.ini');
    await eventually(async () => (await status()) === 'primes 0 1 0');
    container.signal('SIGTERM');
    await succeeds(container);
    expect(await status()).to.equal('primes 1 0 0');
  });

  it('welcome a new user, in a mail that a task sends', async () => {
    symlinkSync(join(repository, 'node_modules/zod'), join(options.folder, 'node_modules/zod'));
    const mailServer = new FakeMailServer();
    const port = await mailServer.start();
    try {
      const env = { SQS_CONTAINERS_BROKER: 'sqlite:examples/mail-service/queues.db' };
      const program = ['examples/mail-service/application.ts', 'ann@example.org', 'Ann'];
      await promisify(execFile)(process.execPath, program, { cwd: options.folder, env });
      options = { ...options, environment: { SMTP_PORT: String(port) } };
      const service = ['examples/mail-service/worker.ini', '--message-limit', '1'];
      const container = await succeeds(start('concurrent', service, options));
      expect(container.stdout).to.match(/^mails\.welcome took \d+ ms, for the request [\da-f-]{36}\n$/);
      expect(mailServer.mails[0]).to.contain('To: ann@example.org\nSubject: Welcome, Ann!');
    } finally {
      await mailServer.stop();
    }
  });

  it('send e-mail from SQS, and keep refused mails', async () => {
    const sqs = await startFauxqs({ port: 0, logger: false });
    const mailServer = new FakeMailServer();
    options = {
      ...options,
      environment: {
        AWS_ENDPOINT_URL: `http://127.0.0.1:${sqs.port}`,
        AWS_REGION: 'eu-west-1',
        AWS_ACCESS_KEY_ID: 'emulator',
        AWS_SECRET_ACCESS_KEY: 'emulator',
        SMTP_HOST: '127.0.0.1',
        SMTP_PORT: String(await mailServer.start()),
      },
    };
    const mail = '{"to":"you@example.org","subject":"Hello","text":"It works."}';
    try {
      await queues('create', 'emails');
      await queues('send', 'emails', mail);
      await succeeds(sequential('examples/email.ini', '--message-limit', '1'));
      expect(mailServer.mails).to.deep.equal([
        'From: shop@example.org\nTo: you@example.org\nSubject: Hello\n\nIt works.',
      ]);

      mailServer.answer = '550 no such user';
      await queues('send', 'emails', mail);
      await succeeds(sequential('examples/email.ini', '--message-limit', '1'));
      const log = readFileSync(join(options.folder, 'examples/failed-emails.log'), 'utf8');
      expect(log).to.equal(`[[],${mail}]\n`);
    } finally {
      await mailServer.stop();
      await sqs.stop();
    }
  });
});
