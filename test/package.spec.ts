/** The package as users get it: packed by npm, installed in an empty project, and used there. */
import { type ExecFileException, execFile } from 'node:child_process';
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { expect } from 'chai';
import { build } from 'esbuild';
import { reachableFrom } from '../scripts/declarations.ts';

const repository = resolve(import.meta.dirname, '..');

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly repository: { readonly url: string };
  readonly homepage: string;
  readonly bugs: string;
}

const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest;
const entries = Object.values(manifest.exports).filter((entry) => typeof entry !== 'string');

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
  'producer.ts': `
import { queue } from 'sqs-containers';

queue<[number, number]>('adder', { broker: process.argv[2] ?? '' })(1, 2).then(
  () => process.exit(),
  (error) => {
    console.log(error.message);
    process.exit();
  },
);
`,
};

describe('the package, installed in another project', function () {
  // Each starts programs through npx.
  this.timeout(30_000);
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
    // Without scripts: packing would rebuild dist/ while other specs use it.
    const tarball = await run('npm', 'pack', repository, '--ignore-scripts', '--silent');
    const quickly = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'];
    await run('npm', 'install', `./${tarball.trim()}`, ...quickly);
  });
  after(() => rmSync(project, { recursive: true }));

  const folder = () => join(project, 'node_modules/sqs-containers');

  it('contains the compiled code and the documentation, and nothing else', () => {
    const held = readdirSync(folder(), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder().length + 1));
    const compiled = held.filter((file) =>
      /^dist\/(src|containers|chunks)\/.+(\.d\.ts|\.js)$|^dist\/page\/page\.js$/.test(file),
    );
    expect(held.filter((file) => !compiled.includes(file))).to.have.members([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'config.example.ini',
      'dist/page/LICENSE-uplot.txt',
      'dist/page/icon.svg',
      'dist/page/index.html',
      'dist/page/page.css',
      'package.json',
    ]);
  });

  it('contains only the declarations that its entry points reach', () => {
    const reachable = reachableFrom(entries.map(({ types }) => join(folder(), types)));
    const held = globSync(join(folder(), 'dist/**/*.d.ts'));
    expect(held).to.include(join(folder(), 'dist/src/worker/worker.d.ts'));
    expect(held).to.have.members([...reachable]);
  });

  it('depends on exactly the packages that it imports', async () => {
    const { metafile } = await build({
      entryPoints: [...Object.values(manifest.bin), ...entries.map((entry) => entry.default)],
      absWorkingDir: folder(),
      outdir: 'out',
      write: false,
      metafile: true,
      bundle: true,
      packages: 'external',
      format: 'esm',
      platform: 'node',
    });
    const imported = Object.values(metafile.inputs)
      .flatMap(({ imports }) => imports)
      .filter(({ path, external }) => external === true && !isBuiltin(path))
      .map(({ path }) => path.split('/', path.startsWith('@') ? 2 : 1).join('/'));
    const { dependencies, optionalDependencies, peerDependencies } = manifest;
    const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
    // tsx is imported by a name that bundlers do not follow; @standard-schema/spec has types only.
    const unseen = ['tsx', '@standard-schema/spec', 'sqs-containers'];
    expect(new Set([...imported, ...unseen])).to.deep.equal(new Set([...declared, 'sqs-containers']));
  });

  it('has one address for its code, its home page and its bugs', () => {
    const { repository, homepage, bugs } = manifest;
    const page = /^git\+(https:.*)\.git$/.exec(repository.url)?.[1];
    expect([homepage, bugs]).to.deep.equal([`${page}#readme`, `${page}/issues`]);
  });

  it('can be bundled by esbuild without pg and ioredis installed', async () => {
    const { warnings } = await build({
      entryPoints: [join(project, 'producer.ts')],
      outfile: join(project, 'producer.cjs'),
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
    });
    expect(warnings).to.deep.equal([]);
    expect(await run(process.execPath, 'producer.cjs', 'memory:')).to.equal('');
    expect(await run(process.execPath, 'producer.cjs', 'redis://127.0.0.1')).to.match(
      /npm install ioredis\n$/,
    );
  });

  it('can be bundled as an ES module, with the ES modules of the AWS SDK', async () => {
    const { warnings } = await build({
      entryPoints: [join(project, 'producer.ts')],
      outfile: join(project, 'producer.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      logLevel: 'silent',
    });
    expect(warnings).to.deep.equal([]);
    expect(await run(process.execPath, 'producer.mjs', 'sqs+http://127.0.0.1:1')).to.match(
      /^Cannot reach SQS/,
    );
  });

  it('runs its executables through npx', async () => {
    for (const name of ['sqs-sequential', 'sqs-concurrent', 'sqs-queues']) {
      expect(await run('npx', name, '--version')).to.equal(`${manifest.version}\n`);
    }
  });

  it('delivers messages from sqs-queues to a worker in TypeScript', async () => {
    await run('node_modules/.bin/sqs-queues', 'send', 'adder', '1', '2', '-c', 'worker.ini');
    const printed = await run('node_modules/.bin/sqs-sequential', 'worker.ini', '--message-limit', '1');
    expect(printed).to.equal('adder: 3\n');
  });

  it('can be imported, including its test container', async () => {
    expect(await run(process.execPath, 'trial.ts')).to.equal('adder: 3\n[[1,2],{}]\n');
  });

  it('exports exactly the names in its documentation', async () => {
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
        'SQS_LIMITS',
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

  it('has types that compile in strict TypeScript', async () => {
    await run(join(repository, 'node_modules/.bin/tsc'), '-p', '.');
  });
});
