/** The package as people get it: packed by npm, installed in an empty project, and used there. */
import { type ExecFileException, execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { expect } from 'chai';

const repository = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };

const files = {
  'package.json': '{ "type": "module" }',
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'nodenext',
      target: 'es2024',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(repository, 'node_modules/@types')],
    },
  }),
  'worker.ini': `
[container]
worker = ./worker.ts:adder
queue = adder
broker = sqlite:queues.db
`,
  'worker.ts': `
import { currentMessage, TransientError, type WorkerFactory } from 'sqs-containers';

export const adder: WorkerFactory<[number, number]> = () => (a, b) => {
  if (Number.isNaN(a + b)) throw new TransientError('not yet', { delay: 1 });
  console.log(\`\${currentMessage().queue}: \${a + b}\`);
};
`,
  'trial.ts': `
import { queue } from 'sqs-containers';
import { TestContainer, type TestedMessage } from 'sqs-containers/test';

const adder = queue<[number, number]>('adder');
const container = await TestContainer.start('worker.ini');
await adder(1, 2);
await container.idle();
const deleted: readonly TestedMessage[] = container.deleted;
console.log(deleted.map(({ body }) => body).join(' '));
await container.stop();

// @ts-expect-error: the producer knows the types of the arguments.
export const wrong = () => adder('1', 2);
`,
};

describe('the package, installed in another project', () => {
  let project: string;

  /** Runs a program there and resolves to its output; `#!/usr/bin/env node` finds the Node.js of this process. */
  function run(program: string, ...args: string[]): Promise<string> {
    const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
    return new Promise((resolve, reject) => {
      execFile(program, args, { cwd: project, env }, (error: ExecFileException | null, stdout, stderr) => {
        if (error) reject(new Error(`${error.message}\n${stdout}${stderr}`));
        else resolve(stdout);
      });
    });
  }

  before(async function () {
    this.timeout(60_000);
    project = mkdtempSync(join(tmpdir(), 'package-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(project, name), text);
    // No scripts: packing would build again under the other specs.
    const tarball = await run('npm', 'pack', repository, '--ignore-scripts', '--silent');
    const quickly = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', 'install', `./${tarball.trim()}`, ...quickly);
  });
  after(() => rmSync(project, { recursive: true }));

  it('holds what was compiled and what a newcomer reads, and nothing else', () => {
    const folder = join(project, 'node_modules/sqs-containers');
    const held = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    const compiled = held.filter((file) =>
      /^dist\/(src|containers|chunks)\/.+(\.d\.ts|\.js)$|^dist\/page\/page\.js$/.test(file),
    );
    expect(held.filter((file) => !compiled.includes(file))).to.have.members([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'config.example.ini',
      'dist/LICENSES.txt',
      'dist/page/icon.svg',
      'dist/page/index.html',
      'dist/page/page.css',
      'package.json',
    ]);
  });

  it('names the license of every package that is bundled', () => {
    const licenses = readFileSync(join(project, 'node_modules/sqs-containers/dist/LICENSES.txt'), 'utf8');
    for (const name of ['@aws-sdk/client-sqs', 'hono', 'kysely', 'uplot', 'winston', 'yargs', 'zod']) {
      expect(licenses).to.match(new RegExp(`^${name} [\\d.]+ \\((MIT|Apache-2.0)\\)$`, 'm'));
    }
  });

  it('runs its executables through npx', async () => {
    for (const name of ['sqs-sequential', 'sqs-concurrent', 'sqs-queues']) {
      expect(await run('npx', name, '--version')).to.equal(`${version}\n`);
    }
  });

  it('hands what sqs-queues sends to a worker in TypeScript', async () => {
    await run('node_modules/.bin/sqs-queues', 'send', 'adder', '1', '2', '-c', 'worker.ini');
    const printed = await run('node_modules/.bin/sqs-sequential', 'worker.ini', '--message-limit', '1');
    expect(printed).to.equal('adder: 3\n');
  });

  it('can be imported, with its test container', async () => {
    expect(await run(process.execPath, 'trial.ts')).to.equal('adder: 3\n[[1,2],{}]\n');
  });

  it('exports what its documentation names, and no more', async () => {
    const script = `console.log(JSON.stringify(
      await Promise.all(['', '/tasks', '/test', '/broker'].map((path) => 'sqs-containers' + path).map(async (name) => Object.keys(await import(name)))),
    ))`;
    const exported: unknown = JSON.parse(await run(process.execPath, '--input-type=module', '-e', script));
    expect(exported).to.deep.equal([
      [
        'BatchError',
        'BrokerError',
        'MalformedMessageError',
        'QueueNotFoundError',
        'Retry',
        'SendError',
        'TaskInputError',
        'TransientError',
        'UnknownTaskError',
        'UnserializableArgumentError',
        'UnsupportedContentTypeError',
        'base64Codec',
        'callCodec',
        'closeProducers',
        'configureTasks',
        'constantBackoff',
        'createQueue',
        'currentContext',
        'currentMessage',
        'exponentialBackoff',
        'jsonCodec',
        'noBackoff',
        'queue',
        'redrive',
        'referenceCodec',
        'registerCodec',
        'runWithContext',
        'taskQueue',
        'textCodec',
      ],
      ['worker'],
      ['TestContainer', 'runInline'],
      [
        'BrokerError',
        'DEDUPLICATION_MS',
        'DEFAULT_SETTINGS',
        'MAX_REQUEST_BYTES',
        'QueueNotFoundError',
        'changeResult',
        'checkBatch',
        'checkCreate',
        'checkReceive',
        'deduplicationId',
        'deleteResult',
        'refusals',
        'sequenceNumber',
        'standing',
      ],
    ]);
  });

  it('has types that a strict TypeScript understands', async () => {
    await run(join(repository, 'node_modules/.bin/tsc'), '-p', '.');
  });
});
