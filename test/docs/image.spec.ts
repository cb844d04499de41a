/**
 * The image in examples/deploy/, without Docker: runs its RUN, CMD and HEALTHCHECK lines in the folder of a service that has
 * installed sqs-containers from npm.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePort } from '../support/servers/programs.ts';
import { REPOSITORY } from './markdown.ts';

const run = promisify(execFile);
const PORT = '8125';

describe('the deployment image', () => {
  const dockerfile = readFileSync(join(REPOSITORY, 'examples/deploy/Dockerfile'), 'utf8');
  let service: string;
  let port: string;

  /** The instructions with this name, with a port that is free on this machine. */
  function instructions(name: string): string[] {
    const lines = dockerfile.replaceAll('\\\n', '').matchAll(new RegExp(`^${name} (.+)$`, 'gm'));
    return [...lines].map(([, text = '']) => text.replace(PORT, port));
  }

  function settings(): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
    const env = {
      ...process.env,
      PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
      STATE_DIRECTORY: join(service, 'state'),
      BROKER: 'sqlite:queues.db',
    };
    return { cwd: service, env };
  }

  before(async function () {
    this.timeout(60_000);
    service = mkdtempSync(join(tmpdir(), 'image-'));
    port = String(await freePort());
    cpSync(join(REPOSITORY, 'examples/deploy'), service, { recursive: true });
    const ini = join(service, 'worker.ini');
    writeFileSync(ini, readFileSync(ini, 'utf8').replace(PORT, port));
    writeFileSync(join(service, 'package.json'), '{ "type": "module" }');
    const packed = await run('npm', ['pack', REPOSITORY, '--ignore-scripts', '--silent'], settings());
    const lockOnly = ['--package-lock-only', '--ignore-scripts', '--prefer-offline'];
    await run('npm', ['install', `./${packed.stdout.trim()}`, ...lockOnly], settings());
    const [install = ''] = instructions('RUN');
    expect(install).to.match(/^npm ci /);
    await run('sh', ['-c', `${install} --prefer-offline --ignore-scripts`], settings());
  });
  after(() => rmSync(service, { recursive: true }));

  it('copies only files that .dockerignore admits', () => {
    const ignored = readFileSync(join(REPOSITORY, 'examples/deploy/.dockerignore'), 'utf8').split('\n');
    const copied = instructions('COPY').flatMap((text) =>
      text.startsWith('--from') ? [] : text.split(' ').slice(0, -1),
    );
    expect(copied).to.include.members(['package-lock.json', 'worker.ini', '*.ts']);
    for (const file of copied) expect(ignored).to.include(`!${file}`);
  });

  it('starts with its CMD, handles messages, is healthy, and drains on SIGTERM with exit code 0', async function () {
    this.timeout(30_000);
    const [program = '', ...args] = JSON.parse(instructions('CMD')[0] ?? '') as string[];
    const container = spawn(program, args, settings());
    let output = '';
    const prints = async (text: string) => {
      while (!output.includes(text)) await once(container.stdout, 'data');
    };
    for (const stream of [container.stdout, container.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const ended = once(container, 'exit');
    try {
      await Promise.race([prints('Connected'), ended.then(() => Promise.reject(new Error(output)))]);
      const send = ['send', 'greetings', '"Anna"', '1', '-c', 'worker.ini'];
      await run('node_modules/.bin/sqs-queues', send, settings());
      const [, check = ''] = instructions('HEALTHCHECK')[0]?.split(' CMD ') ?? [];
      const [node = '', ...checks] = JSON.parse(check) as string[];
      await run(node, checks, settings());
      container.kill('SIGTERM');
      expect(await ended, output).to.deep.equal([0, null]);
      await run(node, checks, settings()).then(
        () => expect.fail('It is healthy after its end.'),
        ({ code }) => expect(code).to.equal(1),
      );
    } finally {
      container.kill('SIGKILL');
    }
    expect(output).to.include('Hello, Anna!');
  });
});
