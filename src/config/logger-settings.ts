/** The settings of each logger, with missing options taken from the root logger. */
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { namedLoggerOptions, rootLoggerOptions } from './options.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Where log records go, and in which format. */
export interface LogTarget {
  /** `STDOUT`, `STDERR`, or the absolute path of a file. */
  readonly path: string;
  /** `text`, `json`, or a template. */
  readonly format: string;
}

export interface LoggerSettings {
  /** The section with these settings, such as `logger.messages`. */
  readonly section: string;
  readonly level: LogLevel;
  /** The logger's own target; undefined: writes only to the root's. */
  readonly target: LogTarget | undefined;
  /** Whether records also go to the root's target. */
  readonly propagate: boolean;
}

export interface LoggersSettings {
  /** The path of the ini file, as given; used in errors. */
  readonly file: string;
  /** The settings of loggers without a section. */
  readonly root: { readonly level: LogLevel; readonly target: LogTarget };
  /** By name, without `logger.` */
  readonly named: ReadonlyMap<string, LoggerSettings>;
}

/** The logger that keeps the bodies of failed messages before they are deleted. */
export const MESSAGES_LOGGER = 'messages';

/** The settings from `[logger]`. Files are relative to `directory`. */
export function rootLogger(
  { level, path, format }: z.output<typeof rootLoggerOptions>,
  directory: string,
): LoggersSettings['root'] {
  return { level, target: { path: pathOf(path, directory), format } };
}

/** The settings from `[logger.NAME]`; missing options are taken from `root`. */
export function namedLogger(
  name: string,
  options: z.output<typeof namedLoggerOptions>,
  root: LoggersSettings['root'],
  directory: string,
): LoggerSettings {
  const { level = root.level, path, propagate = path === undefined } = options;
  const format = options.format ?? (name === MESSAGES_LOGGER ? '{message}' : root.target.format);
  const target = path === undefined ? undefined : { path: pathOf(path, directory), format };
  return { section: `logger.${name}`, level, target, propagate };
}

function pathOf(path: string, directory: string): string {
  return path === 'STDOUT' || path === 'STDERR' ? path : resolve(directory, path);
}
