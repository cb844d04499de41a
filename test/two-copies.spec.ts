/** Two copies of the package in one process: a global installation next to the project's own, as npx creates them. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';

const repository = resolve(import.meta.dirname, '..');
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };
const [major, minor, patch] = version.split('.').map(Number) as [number, number, number];

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'two-copies-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Installs a copy of the compiled package in `folder`, and returns the package's folder. */
function install(place: string, asVersion = version): string {
  const home = join(folder, place, 'node_modules/sqs-containers');
  mkdirSync(home, { recursive: true });
  const compiled = join(repository, 'dist');
  const filter = (file: string) => file !== join(compiled, '.cache');
  cpSync(compiled, join(home, 'dist'), { recursive: true, filter });
  const manifest = readFileSync(join(repository, 'package.json'), 'utf8');
  writeFileSync(join(home, 'package.json'), manifest.replace(`"${version}"`, `"${asVersion}"`));
  symlinkSync(join(repository, 'node_modules'), join(home, 'node_modules'));
  return home;
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an executable of the copy in `home`. */
function run(home: string, program: string, ...args: string[]): Promise<Ended> {
  const file = join(home, 'dist/containers', `${program}.js`);
  return new Promise((resolve) => {
    // A copy is started once or twice: filling its compile cache takes longer than compiling.
    const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
    execFile(process.execPath, [file, ...args], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}

/** Sends a message to the queue of `service/worker.ini`, and runs its worker with the copy in `home`. */
async function handleOne(home: string, worker: string): Promise<Ended> {
  write({
    'service/worker.ini': `[container]\nworker = ${worker}\nqueue = jobs\nbroker = sqlite:queues.db\non_error = retry\n`,
  });
  const ini = join(folder, 'service/worker.ini');
  await run(home, 'queues', 'send', 'jobs', '-c', ini);
  return run(home, 'sequential', ini, '--message-limit', '1');
}

describe('a container in a project with another copy of the same version', function () {
  this.timeout(30_000);

  const workers = {
    'project/module.mjs': `
      import { currentMessage } from 'sqs-containers';
      export const worker = () => () => console.log(currentMessage().queue, import.meta.resolve('sqs-containers'));
    `,
    'project/common.cjs': `
      const { currentMessage } = require('sqs-containers');
      exports.worker = () => () => console.log(currentMessage().queue, require.resolve('sqs-containers/tasks'));
    `,
    // In a package without "type": "module", tsx compiles it to CommonJS.
    'project/typed.ts': `
      import { TransientError, currentMessage } from 'sqs-containers';
      enum Kind { Typed = 'typed' }
      const own = import('sqs-containers');
      export const worker = () => async () =>
        console.log(currentMessage().queue, Kind.Typed, TransientError === (await own).TransientError);
    `,
  };

  it('gives its own copy to a worker that imports the package, in an ES module', async () => {
    const home = install('global');
    install('project');
    write(workers);
    const { stdout } = await handleOne(home, '../project/module.mjs:worker');
    expect(stdout).to.equal(`jobs ${pathToFileURL(join(home, 'dist/src/index.js'))}\n`);
  });

  it('gives its own copy to a worker that requires the package, in CommonJS', async () => {
    const home = install('global');
    install('project');
    write(workers);
    const { stdout } = await handleOne(home, '../project/common.cjs:worker');
    expect(stdout).to.equal(`jobs ${join(home, 'dist/src/tasks/worker.js')}\n`);
  });

  it('gives its own copy to a worker in TypeScript, whether it is compiled to import or to require', async () => {
    const home = install('global');
    install('project');
    write(workers);
    const { stdout } = await handleOne(home, '../project/typed.ts:worker');
    expect(stdout).to.equal('jobs typed true\n');
  });

  it('gives its own copy to a worker in a project that has not installed the package', async () => {
    const home = install('global');
    write(workers);
    const { stdout } = await handleOne(home, '../project/module.mjs:worker');
    expect(stdout).to.equal(`jobs ${pathToFileURL(join(home, 'dist/src/index.js'))}\n`);
  });
});

describe('a container in a project with a copy of another version', function () {
  this.timeout(30_000);

  const worker = {
    'project/worker.mjs': `
      import { TransientError } from 'sqs-containers';
      export const worker = () => () => { throw new TransientError('not yet'); };
    `,
  };

  it('works with a compatible version, and warns once with both versions and their folders', async () => {
    const near = `${major}.${minor}.${patch + 1}`;
    const [home, other] = [install('global'), install('project', near)];
    write(worker);
    const { code, stderr } = await handleOne(home, '../project/worker.mjs:worker');
    expect(code, stderr).to.equal(0);
    expect(stderr.match(/Warning: .*/g)).to.deep.equal([
      `Warning: sqs-containers ${version} is running from ${home}, but sqs-containers ${near} is imported from ${other}: install the same version in both places.`,
    ]);
    expect(stderr).to.contain('not yet').and.not.to.contain('at worker');
  });

  it('exits with 78 if the version is incompatible, and reports both versions and their folders', async () => {
    const far = major === 0 ? `0.${minor + 1}.0` : `${major + 1}.0.0`;
    const [home, other] = [install('global'), install('project', far)];
    write(worker);
    const { code, stderr } = await handleOne(home, '../project/worker.mjs:worker');
    expect(code).to.equal(78);
    expect(stderr).to.contain(
      `sqs-containers ${version} is running from ${home}, but sqs-containers ${far} is imported from ${other}: these versions are incompatible.`,
    );
  });
});

describe('a container whose ini file is in a project with its own installation', function () {
  this.timeout(30_000);

  it("runs the project's installation, whatever its version, and so do the commands", async () => {
    const [home, own] = [install('global'), install('service', '7.8.9')];
    write({
      'service/worker.mjs': `
        import { createRequire } from 'node:module';
        console.log(process.argv[1], createRequire(import.meta.url)('sqs-containers/package.json').version);
        export const worker = () => () => {};
      `,
    });
    const { stdout, stderr } = await handleOne(home, './worker.mjs:worker');
    expect(stdout, stderr).to.equal(`${join(own, 'dist/containers/sequential.js')} 7.8.9\n`);
    expect(stderr).not.to.contain('sqs-containers');

    rmSync(join(own, 'dist/containers/queues.js'));
    const { stderr: refusal } = await run(home, 'queues', 'status', '-c', join(folder, 'service/worker.ini'));
    expect(refusal).to.contain(join(own, 'dist/containers/queues.js'));
  });
});

type Package = typeof import('../src/index.ts');
type Testing = typeof import('../src/testing/inline.ts') & typeof import('../containers/test.ts');

describe('two copies in one process', () => {
  let ours: Package & Testing;
  let theirs: Package & Testing;
  let container: { stop(): Promise<void> } | undefined;

  beforeEach(async () => {
    const load = async (home: string): Promise<Package & Testing> => {
      const [index, testing] = await Promise.all(
        ['src/index.js', 'containers/test.js'].map(
          (file) => import(pathToFileURL(join(home, 'dist', file)).href),
        ),
      );
      return { ...(index as Package), ...(testing as Testing) };
    };
    // Ours stays after the spec: opening a custom broker makes it the copy that the whole process imports from then on.
    [ours, theirs] = await Promise.all([load(repository), load(install('another'))]);
  });
  afterEach(async () => {
    await container?.stop();
    container = undefined;
  });

  it('have different classes', () => {
    expect(ours.TransientError).not.to.equal(theirs.TransientError);
  });

  it('recognize each exported error of the other copy', () => {
    const made: readonly [keyof Package, (copy: Package) => Error][] = [
      ['BatchError', (copy) => new copy.BatchError('jobs', [])],
      ['BrokerError', (copy) => new copy.BrokerError('denied', 'no')],
      ['MalformedMessageError', (copy) => new copy.MalformedMessageError('no')],
      ['QueueNotFoundError', (copy) => new copy.QueueNotFoundError('jobs', 'memory')],
      ['Retry', (copy) => new copy.Retry()],
      ['SendError', (copy) => new copy.SendError('no', { body: '' })],
      ['TaskInputError', (copy) => new copy.TaskInputError('task', [])],
      ['TransientError', (copy) => new copy.TransientError()],
      ['UnknownTaskError', (copy) => new copy.UnknownTaskError()],
      ['UnserializableArgumentError', (copy) => new copy.UnserializableArgumentError()],
      ['UnsupportedContentTypeError', (copy) => new copy.UnsupportedContentTypeError()],
    ];
    const exported = Object.keys(ours).filter((name) => /Error$|^Retry$/.test(name));
    expect(made.map(([name]) => name)).to.have.members(exported);
    for (const [name, make] of made) expect(make(theirs), name).to.be.instanceOf(ours[name]);
    expect(new theirs.QueueNotFoundError('jobs', 'memory')).to.be.instanceOf(ours.BrokerError);
    expect(new theirs.BrokerError('denied', 'no')).not.to.be.instanceOf(ours.QueueNotFoundError);
  });

  it("share the current message, and recognize each other's TransientError", async () => {
    const seen: string[] = [];
    const started = await ours.TestContainer.start({
      queue: 'jobs',
      worker: () => () => {
        seen.push(theirs.currentMessage().queue);
        throw new theirs.TransientError('not yet');
      },
    });
    container = started;
    await theirs.queue('jobs')();
    await started.idle();
    expect(seen).to.deep.equal(['jobs']);
    expect(started.kept).to.have.length(1);
    expect(started.failed).to.deep.equal([]);
  });

  it('share tasks, their context and their codecs', async () => {
    const decoded: string[] = [];
    ours.registerCodec({
      contentType: 'two-copies',
      encode: JSON.stringify,
      decode(body) {
        decoded.push(body);
        return JSON.parse(body);
      },
    });
    const seen: unknown[] = [];
    const inline = ours.runInline();
    container = { stop: async () => inline.stop() };
    const jobs = theirs.taskQueue('two-copies', { contentType: 'two-copies' });
    const shout = jobs.task('shout', ({ text }: { readonly text: string }) => {
      seen.push(text, ours.currentContext());
    });
    await ours.runWithContext({ tenant: 'one' }, () => shout.delay({ text: 'hello' }));
    expect(seen).to.deep.equal(['hello', { tenant: 'one' }]);
    expect(decoded).to.have.length(1);
  });

  it('recognize the errors of a custom broker that uses the other copy', async () => {
    write({
      'broker.mjs': `
        import { BrokerError } from ${JSON.stringify(pathToFileURL(join(folder, 'another/node_modules/sqs-containers/dist/src/brokers/index.js')))};
        export const open = () => { throw new BrokerError('denied', 'not you'); };
      `,
    });
    const refusal = await ours
      .queue('jobs', { broker: `${join(folder, 'broker.mjs')}:open` })()
      .catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(ours.BrokerError);
    expect(refusal).to.include({ kind: 'denied', message: 'not you' });
  });
});
