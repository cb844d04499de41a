/** Prints settings as an ini file that would produce the same settings, with secrets masked. */
import type * as z from 'zod';
import { keyOf } from './check.ts';
import type { Config } from './config.ts';
import {
  containerOptions,
  httpOptions,
  namedLoggerOptions,
  rootLoggerOptions,
  sqsOptions,
} from './options.ts';
import { withoutSecretBehind, withoutSecrets } from './secrets.ts';
import type { QueueShare } from './values.ts';

/**
 * The settings as the text of an ini file, with a comment that explains each option. Paths are absolute; unset options
 * are commented out. Secrets are `***`.
 */
export function describeConfig({ container, worker, sqs, http, loggers }: Config): string {
  const sections = [
    section('container', explained(containerOptions, container)),
    section(
      'worker',
      Object.entries(worker).map(([key, value]) => assignment(key, value)),
    ),
    section('sqs', explained(sqsOptions, sqs)),
    section('http', explained(httpOptions, http)),
    section('logger', explained(rootLoggerOptions, { level: loggers.root.level, ...loggers.root.target })),
  ];
  for (const { section: name, level, target, propagate } of loggers.named.values()) {
    sections.push(section(name, explained(namedLoggerOptions, { level, ...target, propagate })));
  }
  return sections.join('\n\n');
}

type Value = string | number | boolean | readonly (string | QueueShare)[] | undefined;

function section(name: string, lines: readonly string[]): string {
  return [`[${name}]`, ...lines].join('\n');
}

function explained(options: z.ZodObject, values: Readonly<Record<string, Value>>): string[] {
  return Object.entries(options.shape).flatMap(([name, option]) => {
    const value = values[name];
    return [
      `; ${(option as z.ZodType).description}`,
      value === undefined ? `; ${keyOf(name)} =` : assignment(keyOf(name), value),
    ];
  });
}

function assignment(key: string, value: NonNullable<Value>): string {
  if (Array.isArray(value)) return assignment(key, value.map(listed).join(', '));
  if (typeof value === 'boolean') return `${key} = ${value ? 'yes' : 'no'}`;
  // A function, because $ has a special meaning in a replacement string.
  const shown = withoutSecrets(key, String(value)).replaceAll('${', () => '$${');
  return `${withoutSecretBehind(key)} = ${quoted(shown)}`;
}

function listed(entry: string | QueueShare): string {
  if (typeof entry === 'string') return entry;
  return entry.weight === 1 ? entry.name : `${entry.name}*${entry.weight}`;
}

/** Adds quotes if the text would otherwise be read differently. */
function quoted(text: string): string {
  return /["'\\;#\r\n]/.test(text) || text !== text.trim() ? JSON.stringify(text) : text;
}
