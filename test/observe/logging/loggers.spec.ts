import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseConfig } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { type Loggers, openLoggers } from '../../../src/observe/logging/loggers.ts';

describe('the loggers', () => {
  let folder: string;
  let opened: Loggers | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'loggers-'));
  });
  afterEach(() => {
    opened?.close();
    opened = undefined;
    rmSync(folder, { recursive: true });
  });

  /** Opens the loggers of an ini file in the folder. */
  function open(...lines: string[]): Loggers {
    const text = ['[container]', 'worker = ./w.js:w', 'queue = q', ...lines].join('\n');
    opened = openLoggers(parseConfig(text, join(folder, 'worker.ini'), {}).loggers, {});
    return opened;
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');

  it('write to the path of [logger], from its level up', () => {
    const log = open('[logger]', 'path = all.log', 'level = warn', 'format = {level} {logger} {message}').get(
      'a',
    );
    log.info('too little');
    log.warn('enough');
    log.error('more');
    expect(read('all.log')).to.equal('WARN a enough\nERROR a more\n');
  });

  describe('given an error with a lot attached', () => {
    /** An error like those of HTTP clients; any access to the attached objects is recorded. */
    function laden(): { error: Error; touched: string[] } {
      const touched: string[] = [];
      const attached = {
        get socket(): string {
          touched.push('getter');
          return 'open';
        },
        toJSON(): string {
          touched.push('toJSON');
          return 'json';
        },
      };
      const own = { attached, config: { data: Buffer.alloc(5_000_000) } };
      const error = Object.assign(new Error('no answer', { cause: { ...own, code: 7 } }), own);
      Object.defineProperty(error, 'toJSON', { value: attached.toJSON, enumerable: true });
      return { error, touched };
    }

    for (const format of ['text', 'json', '{message}']) {
      it(`do not touch any of it, at any level, as ${format}`, () => {
        const { error, touched } = laden();
        const log = open('[logger]', 'path = all.log', 'level = warn', `format = ${format}`).get('a');
        log.debug('too little', error);
        log.info('too little', error);
        log.warn('enough', error);
        expect(touched).to.deep.equal([]);
        expect(read('all.log')).to.include('no answer').and.not.include('too little');
        expect(read('all.log')).to.have.length.below(10_000);
      });
    }

    it('do not look at it at all below the level', () => {
      const untouchable = new Proxy(new Error('no answer'), {
        get(_, name): never {
          throw new Error(`${String(name)} was read.`);
        },
        ownKeys(): never {
          throw new Error('The keys were read.');
        },
      });
      const log = open('[logger]', 'path = all.log', 'level = warn').get('a');
      log.info('too little', untouchable);
      expect(read('all.log')).to.equal('');
    });
  });

  it('have their own level, path and format if a section sets them', () => {
    const loggers = open(
      '[logger]\npath = all.log\nformat = {message}',
      '[logger.a]\npath = a.log\nlevel = debug\nformat = a: {message}',
      '[logger.b]\npath = b.log\npropagate = yes',
    );
    loggers.get('a').debug('one');
    loggers.get('b').info('two');
    loggers.get('c').info('three');
    expect([read('a.log'), read('b.log'), read('all.log')]).to.deep.equal([
      'a: one\n',
      'two\n',
      'two\nthree\n',
    ]);
  });

  it('share a file if two sections name it', () => {
    const loggers = open('[logger]\npath = all.log\nformat = {message}', '[logger.a]\npath = ./all.log');
    loggers.get('a').info('one');
    loggers.get('b').info('two');
    expect(read('all.log')).to.equal('one\ntwo\n');
  });

  it('keep the bodies of failed messages, each alone on a line, whatever the level', () => {
    const loggers = open('[logger]\npath = all.log\nlevel = error', '[logger.messages]\npath = messages.log');
    loggers.keep('[[1],{}]');
    loggers.keep('two\nlines');
    expect(read('messages.log')).to.equal('[[1],{}]\n"two\\nlines"\n');
    expect(read('all.log')).to.equal('');
  });

  it('throw if a body could not be written', function () {
    if (!existsSync('/dev/full')) this.skip();
    const loggers = open('[logger.messages]\npath = /dev/full');
    expect(() => loggers.keep('[[1],{}]')).to.throw(/ENOSPC/);
  });

  it('continue when a line cannot be written', function () {
    if (!existsSync('/dev/full')) this.skip();
    const log = open('[logger]\npath = /dev/full').get('a');
    log.info('lost');
    log.error('lost, too', new Error('x'));
  });

  it('create files that others cannot read', () => {
    open('[logger]\npath = all.log');
    expect(statSync(join(folder, 'all.log')).mode & 0o007).to.equal(0);
  });

  it('append to existing files', () => {
    open('[logger]\npath = all.log\nformat = {message}').get('a').info('one');
    opened?.close();
    open('[logger]\npath = all.log\nformat = {message}').get('a').info('two');
    expect(read('all.log')).to.equal('one\ntwo\n');
  });

  it('write to a new file after a rotation, once they are reopened', () => {
    const loggers = open('[logger]\npath = all.log\nformat = {message}');
    loggers.get('a').info('one');
    renameSync(join(folder, 'all.log'), join(folder, 'all.log.1'));
    loggers.get('a').info('two');
    loggers.reopen();
    loggers.get('a').info('three');
    expect([read('all.log.1'), read('all.log')]).to.deep.equal(['one\ntwo\n', 'three\n']);
  });

  it('continue with the old file when it cannot be reopened, and log that', () => {
    const loggers = open(
      '[logger]\npath = STDERR',
      '[logger.a]\npath = a.log\nformat = {message}',
      '[logger.logger]\npath = said.log',
    );
    renameSync(join(folder, 'a.log'), join(folder, 'a.log.1'));
    rmSync(join(folder, 'a.log'), { force: true });
    // A folder in its place also fails for root, who ignores permissions.
    mkdtempSync(join(folder, 'x-'));
    renameSync(mkdtempSync(join(folder, 'y-')), join(folder, 'a.log'));
    loggers.reopen();
    loggers.get('a').info('still here');
    expect(read('a.log.1')).to.equal('still here\n');
    expect(read('said.log')).to.match(/The log file .*a\.log cannot be reopened/);
  });

  it('refuse a path that cannot be opened, naming section and file', () => {
    chmodSync(folder, 0o755);
    expect(() => open('[logger.messages]', 'path = no/such/folder/messages.log'))
      .to.throw(ConfigError, /worker\.ini.*\[logger\.messages\] path/)
      .with.property('message')
      .that.includes('no/such/folder/messages.log');
  });
});
