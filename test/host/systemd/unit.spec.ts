import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseConfig } from '../../../src/config/config.ts';
import {
  systemdUnit,
  type UnitOptions,
  unitArgument,
  unitPath,
  unitWord,
} from '../../../src/host/systemd/unit.ts';
import { codePoint } from '../../support/code-point.ts';
import { systemdAnalyze } from '../../support/servers/programs.ts';

const CONTAINER = '[container]\nworker = ./worker.ts:worker\nqueue = jobs\n';

/** A unit for the ini file `/srv/app/orders.ini` with these lines. */
function unit(lines = '', more: Partial<UnitOptions> = {}): string {
  return systemdUnit({
    name: 'sqs-sequential',
    command: [process.execPath, '/srv/app/sequential.js'],
    config: parseConfig(CONTAINER + lines, '/srv/app/orders.ini', {}),
    template: false,
    user: 'anna',
    sendsDatagrams: true,
    ...more,
  });
}

function lines(text: string, ...keys: string[]): string[] {
  return text.split('\n').filter((line) => keys.some((key) => line.startsWith(`${key}=`)));
}

describe('the systemd unit', () => {
  it('runs the ini file, as a dynamic user if the service writes no files', () => {
    const text = unit();
    expect(text).to.match(/^# \/etc\/systemd\/system\/sqs-sequential-orders\.service$/m);
    const keys = [
      'Description',
      'Type',
      'ExecStart',
      'WorkingDirectory',
      'DynamicUser',
      'User',
      'ReadWritePaths',
    ];
    expect(lines(text, ...keys)).to.deep.equal([
      'Description=sqs-sequential orders',
      'Type=notify',
      'WorkingDirectory=/srv/app',
      `ExecStart=${process.execPath} /srv/app/sequential.js /srv/app/orders.ini`,
      'DynamicUser=yes',
    ]);
  });

  it('can write to the folders of the queue file, the logs and a socket, as a permanent user', () => {
    const files =
      'broker = sqlite:data/queues.db\n[logger]\npath = /var/log/app.log\n[logger.messages]\npath = data/m.log\n[http]\nlisten = ./run/http.sock\n';
    const keys = ['DynamicUser', 'User', 'ReadWritePaths'];
    expect(lines(unit(files), ...keys)).to.deep.equal([
      'User=anna',
      'ReadWritePaths=/srv/app/data /srv/app/run /var/log',
    ]);
    expect(lines(unit(files, { user: 'root' }), ...keys)[0]).to.equal('User=sqs-containers');
  });

  it('allows time for the drain, including cleanup after drain_timeout', () => {
    expect(lines(unit('drain_timeout = 90.5\n'), 'TimeoutStopSec')).to.deep.equal(['TimeoutStopSec=111']);
  });

  it('always restarts the container, except if idle_exit is set', () => {
    expect(lines(unit(), 'Restart')).to.deep.equal(['Restart=always']);
    expect(lines(unit('idle_exit = 5\n'), 'Restart')).to.deep.equal(['Restart=on-failure']);
  });

  it('accepts notifications from other programs only if the process itself cannot send them', () => {
    expect(lines(unit(), 'NotifyAccess')).to.deep.equal(['NotifyAccess=main']);
    expect(lines(unit('', { sendsDatagrams: false }), 'NotifyAccess')).to.deep.equal(['NotifyAccess=all']);
  });

  it('can read home folders only if it needs files from them', () => {
    expect(lines(unit(), 'ProtectHome')).to.deep.equal(['ProtectHome=yes']);
    const command = ['/home/anna/.nvm/node', '/srv/app/sequential.js'];
    expect(lines(unit('', { command }), 'ProtectHome')).to.deep.equal(['ProtectHome=read-only']);
  });

  it('can be a template for all ini files in a folder', () => {
    const text = unit('', {
      template: true,
      command: ['/usr/bin/node', '/srv/app/sequential.js', '--suffix=big'],
    });
    expect(text).to.match(/^# \/etc\/systemd\/system\/sqs-sequential@\.service$/m);
    expect(lines(text, 'Description', 'ExecStart', 'WorkingDirectory', 'EnvironmentFile')).to.deep.equal([
      'Description=sqs-sequential %i',
      'WorkingDirectory=/srv/app',
      'ExecStart=/usr/bin/node /srv/app/sequential.js --suffix=big %i.ini',
      'EnvironmentFile=-/etc/default/sqs-sequential@%i',
    ]);
  });

  it('escapes paths and arguments', () => {
    expect(unitPath('/a b/100%')).to.equal('/a b/100%%');
    expect(unitWord('/a b/"100%"\\')).to.equal('"/a b/\\"100%%\\"\\\\"');
    expect(unitWord("it's")).to.equal(`"it's"`);
    expect(unitWord('/a/b')).to.equal('/a/b');
    expect(unitArgument('--suffix=$HOME')).to.equal('--suffix=$$HOME');
  });
});

describe('systemd-analyze', function () {
  this.timeout(30_000);
  let folder: string;

  before(function () {
    if (!systemdAnalyze.isInstalled()) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'unit-'));
  });
  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  function analyze(file: string, text: string, ...command: string[]): string {
    const path = join(folder, file);
    writeFileSync(path, text);
    const { status, stdout, stderr } = spawnSync('systemd-analyze', [...command, path], { encoding: 'utf8' });
    expect(status, stderr).to.equal(0);
    return stdout + stderr;
  }

  it('accepts the unit and the template', () => {
    const files = 'broker = sqlite:queues.db\n';
    const awkward = parseConfig(CONTAINER + files, '/srv/my app 100%/orders & more.ini', {});
    expect(analyze('sqs-sequential-orders.service', unit(), 'verify')).to.equal('');
    expect(analyze('awkward.service', unit('', { config: awkward }), 'verify')).to.equal('');
    expect(analyze('sqs-sequential@.service', unit(files, { template: true }), 'verify')).to.equal('');
  });

  it('rates the service as well sandboxed', () => {
    const report = analyze('locked.service', unit(), 'security', '--offline=yes', '--no-pager');
    const [, exposure] = /exposure level for \S+: (\d+\.\d+)/.exec(report) ?? [];
    expect(Number(exposure)).to.be.within(0.1, 1.5);
  });
});

const CONTROL = /\p{Cc}/u;

/** Parses a line of words as systemd does: see systemd.syntax(7). */
function read(line: string): string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"'\\;]+)/g)];
  expect(words.map(([word]) => word).join(' '), 'all is words').to.equal(line);
  return words.map(([, quoted, plain]) =>
    (
      quoted?.replace(/((?:\\x[\da-f]{2})+)|\\(.)/g, (_, bytes: string | undefined, character: string) =>
        bytes === undefined ? character : Buffer.from(bytes.replaceAll('\\x', ''), 'hex').toString(),
      ) ??
      plain ??
      ''
    ).replaceAll('%%', '%'),
  );
}

/** Parses a command as systemd does: see systemd.service(5). */
function readCommand(line: string): string[] {
  return read(line).map((word) => word.replaceAll('$$', '$'));
}

// Whatever a path or an argument contains, it stays a single word on its line.
describe('words in a unit file', () => {
  const word = fc.string({
    unit: fc.oneof(fc.constantFrom(...'"\\\'%$; \n\t\r\0\u0085x'), fc.string({ unit: 'grapheme' })),
  });

  it('are read back unchanged', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(read(words.map(unitWord).join(' '))).to.deep.equal(words);
      }),
    );
  });

  it('are read back unchanged in commands, including dollar signs', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(word, word).map((parts) => parts.join('$')),
          { minLength: 1 },
        ),
        (words) => {
          const line = words.map(unitArgument).join(' ');
          expect(line.replaceAll('$$', '')).not.to.contain('$');
          expect(readCommand(line)).to.deep.equal(words);
        },
      ),
    );
  });

  it('cannot start another line or a specifier', () => {
    fc.assert(
      fc.property(fc.oneof(word, fc.string({ unit: codePoint })), (text) => {
        for (const quote of [unitPath, unitWord, unitArgument]) {
          expect(quote(text)).not.to.match(CONTROL);
          expect(quote(text).replaceAll('%%', '')).not.to.contain('%');
        }
      }),
    );
  });
});
