import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import type { LoggerSettings, LoggersSettings } from '../../src/config/logger-settings.ts';

const MINIMAL = '[container]\nworker = ./adder.ts:adder\nqueue = adder\n';

function loggers(text: string): LoggersSettings {
  return parseConfig(`${MINIMAL}${text}`, '/app/worker.ini', {}).loggers;
}

function logger(name: string, text: string): LoggerSettings | undefined {
  return loggers(text).named.get(name);
}

describe('the loggers of an ini file', () => {
  it('write text of level info to STDERR, unless the file says otherwise', () => {
    expect(loggers('')).to.deep.equal({
      file: '/app/worker.ini',
      root: { level: 'info', target: { path: 'STDERR', format: 'text' } },
      named: new Map(),
    });
  });

  it('have the settings of [logger]', () => {
    expect(loggers('[logger]\nlevel = debug\npath = STDOUT\nformat = json').root).to.deep.equal({
      level: 'debug',
      target: { path: 'STDOUT', format: 'json' },
    });
  });

  it('write to files that are relative to the ini file', () => {
    expect(loggers('[logger]\npath = logs/all.log').root.target.path).to.equal('/app/logs/all.log');
    expect(logger('a', '[logger.a]\npath = ../a.log')?.target?.path).to.equal('/a.log');
    expect(logger('a', '[logger.a]\npath = /var/log/a.log')?.target?.path).to.equal('/var/log/a.log');
    expect(logger('a', '[logger.a]\npath = STDOUT')?.target?.path).to.equal('STDOUT');
  });

  it('with their own section, but no path, write where the root does', () => {
    expect(logger('sequential', '[logger]\nlevel = warn\n[logger.sequential]')).to.deep.equal({
      section: 'logger.sequential',
      level: 'warn',
      target: undefined,
      propagate: true,
    });
    expect(logger('sequential', '[logger.sequential]\nlevel = debug')?.level).to.equal('debug');
  });

  it('with their own path write only there', () => {
    expect(logger('a', '[logger.a]\npath = a.log\n[logger]\nformat = json')).to.deep.equal({
      section: 'logger.a',
      level: 'info',
      target: { path: '/app/a.log', format: 'json' },
      propagate: false,
    });
  });

  it('with their own path also write to the root if they propagate', () => {
    expect(logger('a', '[logger.a]\npath = a.log\npropagate = yes')?.propagate).to.equal(true);
  });

  it('include one for messages, which writes only the message unless it has a format', () => {
    expect(logger('messages', '[logger.messages]\npath = m.log')?.target?.format).to.equal('{message}');
    expect(logger('messages', '[logger.messages]\npath = m.log\nformat = json')?.target?.format).to.equal(
      'json',
    );
  });

  for (const [written, propagate] of [
    ...['yes', 'Yes', 'true', 'on', '1'].map((word) => [word, true] as const),
    ...['no', 'NO', 'false', 'off', '0'].map((word) => [word, false] as const),
  ]) {
    it(`accept "${written}" for propagate`, () => {
      expect(logger('a', `[logger.a]\npath = a.log\npropagate = ${written}`)?.propagate).to.equal(propagate);
    });
  }

  for (const format of ['text', 'json', '{message}', '{time} {level} [{logger}] {message} {}']) {
    it(`accept "${format}" for format`, () => {
      expect(loggers(`[logger]\nformat = ${format}`).root.target.format).to.equal(format);
    });
  }

  const aFormat =
    'expected text, json, or a template with {message} and, optionally, {time}, {level}, {logger}';
  const aPath = 'expected STDOUT or STDERR in capitals, or the path of a file';
  const bad: [string, string, string, string][] = [
    ['logger', 'level', 'INFO', 'expected error, warn, info or debug'],
    ['logger', 'level', '', 'expected error, warn, info or debug'],
    ['logger', 'path', 'stderr', aPath],
    ['logger', 'path', 'Stdout', aPath],
    ['logger', 'path', '', aPath],
    ['logger', 'format', 'plain', aFormat],
    ['logger', 'format', '', aFormat],
    ['logger', 'format', '{time}', aFormat],
    ['logger', 'format', '{tiem} {message}', aFormat],
    ['logger.a', 'level', 'loud', 'expected error, warn, info or debug'],
    ['logger.a', 'path', 'stdout', aPath],
    ['logger.a', 'format', 'JSON', aFormat],
    ['logger.a', 'format', 'json', 'without its own path it has the format of [logger]; add a path'],
    ['logger.a', 'propagate', 'maybe', 'expected yes or no'],
    ['logger.a', 'propagate', 'no', 'without its own path it would not write anywhere; add a path'],
  ];
  for (const [section, key, value, message] of bad)
    it(`refuse ${key} = "${value}" in [${section}]`, () => {
      expect(() => loggers(`[${section}]\n${key} = ${value}`))
        .to.throw(ConfigError)
        .that.includes({
          message: `/app/worker.ini:5: [${section}] ${key} = ${JSON.stringify(value)}: ${message}`,
        });
    });

  it('are also checked when the root is invalid', () => {
    expect(() => loggers('[logger]\nlevel = x\n[logger.a]\nlevel = y\npropagate = no'))
      .to.throw(ConfigError)
      .with.property('problems')
      .that.has.length(3);
  });
});
