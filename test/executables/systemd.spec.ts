import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Listener, listenAt } from '../host/systemd/listen.ts';
import { cleanUp, type Executable, folderWith, run, start } from '../support/executable.ts';
import { call, openQueue, settings } from '../support/executable-brokers.ts';
import { systemdAnalyze } from '../support/servers/programs.ts';

const WORKER = `
  export const broken = () => { throw new TypeError('no mail server'); };
  export const worker = () => (what) => {
    console.log('did', what, Object.keys(process.env).filter((name) => /NOTIFY|WATCHDOG/.test(name)).length);
  };
`;
/** Makes imports of koffi fail. */
const NO_KOFFI = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(name, context, next) {
      if (name === 'koffi') throw new Error('koffi is hidden');
      return next(name, context);
    },
  });
`;

function folderFor(more = '', exported = 'worker'): string {
  return folderWith({
    'worker.ini': settings(exported, more),
    'worker.mjs': WORKER,
    'no-koffi.mjs': NO_KOFFI,
  });
}

describe('a container under systemd', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  for (const [program, more] of [
    ['sequential', ''],
    ['concurrent', 'processes = 2\n'],
  ] as const) {
    it(`(sqs-${program}) reports that it is ready, reloads, works and stops`, async () => {
      const folder = folderFor(more);
      const queue = await openQueue(folder);
      await call(queue, ['one']);
      const NOTIFY_SOCKET = join(folder, 'notify');
      const listener = await listenAt(NOTIFY_SOCKET);
      const environment = { NOTIFY_SOCKET, WATCHDOG_USEC: '200000' };
      const container = start(program, ['worker.ini'], { folder, environment });
      await listener.gets(/^WATCHDOG=1$/);
      await container.prints(/^did one 0$/);
      container.signal('SIGHUP');
      await listener.gets(/^RELOADING=1\nMONOTONIC_USEC=\d+$/);
      container.signal('SIGTERM');
      expect(await container.exit()).to.equal(0);
      await listener.gets(/^STATUS=Draining: 1 handled, 0 in flight, 0 failed$/);
      const told = listener.received.filter((text) => !/^(STATUS|WATCHDOG)=/.test(text));
      expect(told.map((text) => text.split('\n')[0])).to.deep.equal([
        'READY=1',
        'RELOADING=1',
        'READY=1',
        'STOPPING=1',
      ]);
    });
  }

  it('is not reported as ready if it fails to start', async () => {
    const folder = folderFor('', 'broken');
    await openQueue(folder);
    const NOTIFY_SOCKET = `@sqs-containers-${process.pid}-start`;
    const listener = await listenAt(NOTIFY_SOCKET);
    const container = await run('sequential', ['worker.ini'], { folder, environment: { NOTIFY_SOCKET } });
    expect(container.ended).to.equal(78);
    expect(listener.received).to.deep.equal([]);
  });

  describe('without koffi', () => {
    let folder: string;
    let listener: Listener;

    async function startIn(path: string): Promise<Executable> {
      folder = folderFor();
      await openQueue(folder);
      const NOTIFY_SOCKET = join(folder, 'notify');
      listener = await listenAt(NOTIFY_SOCKET);
      const NODE_OPTIONS = `--import=${join(folder, 'no-koffi.mjs')}`;
      const container = start('sequential', ['worker.ini'], {
        folder,
        environment: { NOTIFY_SOCKET, NODE_OPTIONS, PATH: path },
      });
      await container.prints(
        /WARN sequential: Notifying systemd with the program systemd-notify, .* koffi is hidden$/,
      );
      await container.prints(/Connected/);
      return container;
    }

    it('uses systemd-notify', async function () {
      // systemd-notify is in the same package.
      if (!systemdAnalyze.isInstalled()) this.skip();
      const container = await startIn(process.env.PATH ?? '');
      await listener.gets(/^READY=1/);
      container.signal('SIGTERM');
      expect(await container.exit()).to.equal(0);
      await listener.gets(/^STOPPING=1/);
    });

    it('warns once, and works without notifications, if systemd-notify is also missing', async () => {
      const container = await startIn('/nowhere');
      await container.prints(/WARN sequential: Cannot notify systemd: .*ENOENT/);
      container.signal('SIGTERM');
      expect(await container.exit()).to.equal(0);
      expect(container.stderr.match(/Cannot notify/g)).to.have.length(1);
      expect(listener.received).to.deep.equal([]);
    });
  });

  it('prints a unit that runs the same command, and a template', async () => {
    const folder = folderFor('drain_timeout = 10\n');
    const printed = await run('sequential', ['worker.ini', '--suffix', 'big', '--print-unit'], { folder });
    expect(printed.ended).to.equal(0);
    const [, command = ''] = /^ExecStart=(.*)$/m.exec(printed.stdout) ?? [];
    const words = command.split(' ');
    expect(words[0]).to.equal(process.execPath);
    expect(words.slice(2)).to.deep.equal(['--suffix=big', join(folder, 'worker.ini')]);
    expect(printed.stdout)
      .to.match(/^TimeoutStopSec=30$/m)
      .and.match(new RegExp(`^ReadWritePaths=${folder}$`, 'm'));
    const check = spawnSync(words[0] ?? '', [...words.slice(1), '--check'], { encoding: 'utf8' });
    expect(check.status, check.stderr).to.equal(0);
    const template = await run('concurrent', ['worker.ini', '--print-template-unit'], { folder });
    expect(template.stdout).to.match(/^ExecStart=.* %i\.ini$/m);
  });
});
