/** Reads an ini file into validated, typed settings, or reports everything that is wrong with it. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type * as z from 'zod';
import { Check } from './check.ts';
import { ConfigError } from './config-error.ts';
import { type IniSection, readIniText } from './ini-text.ts';
import { parseListen } from './listen.ts';
import { type LoggerSettings, type LoggersSettings, namedLogger, rootLogger } from './logger-settings.ts';
import {
  containerOptions,
  httpOptions,
  namedLoggerOptions,
  rootLoggerOptions,
  sqsOptions,
} from './options.ts';
import { suggest } from './suggestion.ts';

/** `[container]`; `options.ts` describes each option. Durations are in seconds, except settleDelay: milliseconds. */
export type ContainerSettings = Readonly<z.output<typeof containerOptions>>;

/** `[sqs]` */
export type SqsSettings = Readonly<z.output<typeof sqsOptions>>;

/** `[http]`; paths are absolute. */
export type HttpSettings = Readonly<z.output<typeof httpOptions>>;

/** A validated ini file: nothing in it needs another check. */
export interface Config {
  /** The path of the ini file, as given. */
  readonly file: string;
  /** The absolute folder of the ini file; relative paths in the file start here. */
  readonly directory: string;
  readonly container: ContainerSettings;
  /** `[worker]`: passed to the worker factory unchanged. Empty if the section is missing. */
  readonly worker: Readonly<Record<string, string>>;
  readonly sqs: SqsSettings;
  readonly http: HttpSettings;
  readonly loggers: LoggersSettings;
}

/** The default settings: those of an ini file that sets only a worker and a queue. */
export function defaultSettings(): ContainerSettings {
  return containerOptions.parse({ worker: './worker.ts:worker', queue: 'queue' });
}

/** Reads an ini file. Throws ConfigError with all problems, including a missing file. */
export function readConfig(file: string, environment: NodeJS.ProcessEnv = process.env): Config {
  return parseConfig(readText(file), file, environment);
}

/**
 * Parses the text of an ini file. Variables come from `environment`; relative paths start from the folder of `file`,
 * which is not read. Throws ConfigError with all problems.
 */
export function parseConfig(text: string, file: string, environment: NodeJS.ProcessEnv): Config {
  const ini = readIniText(text);
  const check = new Check(file, ini, environment);
  const directory = dirname(resolve(file));
  for (const section of ini.sections.values()) refuseUnknownSection(section, check);
  const container = check.options('container', containerOptions);
  const worker = Object.fromEntries(check.values('worker'));
  const sqs = check.options('sqs', sqsOptions);
  const http = check.options('http', httpOptions);
  const loggers = loggersOf([...ini.sections.keys()], check, file, directory);
  if (!container || !sqs || !http || !loggers || check.problems.length > 0)
    throw new ConfigError(check.problems);
  const broker = container.broker.replace(
    /^sqlite:(.*)$/s,
    (_, path: string) => `sqlite:${resolve(directory, path)}`,
  );
  return {
    file,
    directory,
    container: { ...container, broker },
    worker,
    sqs,
    http: absolute(http, directory),
    loggers,
  };
}

function absolute({ listen, tokenFile }: HttpSettings, directory: string): HttpSettings {
  const isPath = listen !== undefined && 'path' in (parseListen(listen) ?? {});
  return {
    listen: isPath ? resolve(directory, listen) : listen,
    tokenFile: tokenFile === undefined ? undefined : resolve(directory, tokenFile),
  };
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    throw new ConfigError([{ file, text: whyUnreadable(cause) }], { cause });
  }
}

function whyUnreadable(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
      return 'the file does not exist; name an existing ini file';
    case 'EISDIR':
      return 'this is a folder; name an ini file';
    case 'EACCES':
      return 'permission denied; allow this user to read the file';
    case 'ERR_ENCODING_INVALID_ENCODED_DATA':
      return 'the file is not UTF-8 text; save it as UTF-8';
    default:
      return `the file cannot be read: ${message}`;
  }
}

const SECTIONS = ['container', 'worker', 'sqs', 'http', 'logger'];
const LOGGER = /^logger\.([\w-]+)$/;

function refuseUnknownSection({ name, line }: IniSection, check: Check): void {
  if (SECTIONS.includes(name) || LOGGER.test(name)) return;
  const [parent = ''] = name.split('.');
  const refusal =
    parent === 'logger'
      ? 'the name of a logger must be a single word, such as [logger.messages]'
      : parent !== name && SECTIONS.includes(parent)
        ? `[${parent}] has no subsections; put these keys in it, such as ${name.slice(parent.length + 1)}_KEY`
        : `unknown section; ${suggest(name, [...SECTIONS, 'logger.NAME'], 'the sections are')}`;
  check.add({ line, section: name, text: refusal });
}

function loggersOf(
  sections: readonly string[],
  check: Check,
  file: string,
  directory: string,
): LoggersSettings | undefined {
  const rootOptions = check.options('logger', rootLoggerOptions);
  const root = rootOptions && rootLogger(rootOptions, directory);
  const named = new Map<string, LoggerSettings>();
  for (const section of sections) {
    const name = LOGGER.exec(section)?.[1];
    if (name === undefined) continue;
    const options = check.options(section, namedLoggerOptions);
    if (root && options) named.set(name, namedLogger(name, options, root, directory));
  }
  return root && { file, root, named };
}
