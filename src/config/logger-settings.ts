/** What each logger does, once the options that were left out are filled in from the root's. */
import { resolve } from 'node:path';
import type * as z from 'zod';
import type { namedLoggerOptions, rootLoggerOptions } from './options.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Where records go, and what they look like there. */
export interface LogTarget {
  /** `STDOUT`, `STDERR`, or the absolute path of a file. */
  readonly path: string;
  /** `text`, `json`, or a template. */
  readonly format: string;
}

export interface LoggerSettings {
  /** The section that says so, such as `logger.messages`. */
  readonly section: string;
  readonly level: LogLevel;
  /** A target of its own; undefined: only the root's. */
  readonly target: LogTarget | undefined;
  /** Whether records go to the root's target, too. */
  readonly propagate: boolean;
}

export interface LoggersSettings {
  /** The ini file, as it was named: for errors. */
  readonly file: string;
  /** What loggers without a section do. */
  readonly root: { readonly level: LogLevel; readonly target: LogTarget };
  /** By name, without `logger.` */
  readonly named: ReadonlyMap<string, LoggerSettings>;
}

/** The logger that keeps the bodies of messages which failed and are deleted. */
export const MESSAGES_LOGGER = 'messages';

/** `[logger]` as settings. Files are relative to `directory`. */
export function rootLogger(
  { level, path, format }: z.output<typeof rootLoggerOptions>,
  directory: string,
): LoggersSettings['root'] {
  return { level, target: { path: pathOf(path, directory), format } };
}

/** `[logger.NAME]` as settings: what it leaves out is as `root` has it. */
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
