/** The command line of the container executables: parsing and shell completion. */

import type * as z from 'zod';
import { type Config, readConfig } from '../config/config.ts';
import { containerOptions } from '../config/options.ts';
import { word } from '../config/values.ts';
import type { Program } from '../container/program.ts';
import { UsageError } from '../host/exit-codes.ts';
import { flag, readCommandLine, repeatable, usageText, value } from './command-line.ts';
import { longNames, optionBefore, optionsOf, plainWords, unfinished } from './completion-words.ts';

export interface ContainerArguments {
  /** The ini file. */
  readonly file: string;
  /** Validate, print the resolved settings, and exit. */
  readonly check: boolean;
  /** Print a systemd unit for FILE, or a unit template, and exit. */
  readonly printUnit: 'service' | 'template' | undefined;
  /** Continue in the background. */
  readonly daemonize: boolean;
  /** The file that the process ID is written to, or read from with `stop`. */
  readonly pidFile: string | undefined;
  /** Stop the process of the pid file instead of running a container. */
  readonly stop: boolean;
  /** Consume only these of the configured queues; empty: all. */
  readonly queues: readonly string[];
  /** Appended to the queue names; contains only characters that a queue name may have. */
  readonly suffix: string | undefined;
  /** Options that override the ini file; `idleExit` is in seconds. */
  readonly overrides: { readonly messageLimit?: number; readonly idleExit?: number };
}

const DESCRIPTIONS: Readonly<Record<Program, string>> = {
  'sqs-sequential': 'Calls a worker for every message in its queues, one at a time.',
  'sqs-concurrent':
    'Calls a worker for every message in its queues, many at a time, in one or more processes.',
};

/** The arguments when no options are given. */
const NO_OPTIONS: Omit<ContainerArguments, 'file'> = {
  check: false,
  printUnit: undefined,
  daemonize: false,
  pidFile: undefined,
  stop: false,
  queues: [],
  suffix: undefined,
  overrides: {},
};

/** Returns the arguments, or the text to print for `--help` or `--version`. Throws UsageError. */
export async function parseContainerArguments(
  program: Program,
  args: readonly string[],
): Promise<ContainerArguments | { readonly text: string }> {
  const [file, ...others] = args;
  // The usual command line of a service. It does not need yargs, which takes longer to load than all our own code.
  if (file && others.length === 0 && !file.startsWith('-')) return { ...NO_OPTIONS, file };
  return parseOptions(program, args);
}

async function parseOptions(
  program: Program,
  args: readonly string[],
): Promise<ContainerArguments | { readonly text: string }> {
  const parser = await parserOf(program);
  const { given: parsed, text } = await readCommandLine(program, parser, args, async (problem) =>
    usageText(problem, args, await parser.getHelp()),
  );
  if (parsed.help === true || parsed.version === true) return { text };
  const [file, ...others] = parsed._.map(String);
  if (!file) throw new UsageError(program, 'Specify an ini file.');
  if (others.length > 0) throw new UsageError(program, 'Specify only one ini file.');
  const { daemonize, stop, pidFile } = parsed;
  if (stop && pidFile === undefined) {
    throw new UsageError(program, '--stop also needs --pid-file.');
  }
  if (stop && daemonize) throw new UsageError(program, '--stop and --daemonize cannot be used together.');
  const { messageLimit, idleExit } = containerOptions.shape;
  return {
    file,
    check: parsed.check,
    printUnit: parsed.printTemplateUnit ? 'template' : parsed.printUnit ? 'service' : undefined,
    daemonize,
    pidFile,
    stop,
    queues: parsed.queue ?? [],
    suffix: read(program, 'suffix', word().optional(), parsed.suffix),
    overrides: {
      ...override('messageLimit', read(program, 'message-limit', messageLimit, parsed.messageLimit)),
      ...override('idleExit', read(program, 'idle-exit', idleExit, parsed.idleExit)),
    },
  };
}

/** Completions for a command line. `words` is the line so far, from the program to the word under the cursor. */
export async function completeContainerArguments(
  program: Program,
  words: readonly string[],
): Promise<string[]> {
  const line = unfinished(words);
  const help = await parseContainerArguments(program, ['--help']);
  const options = optionsOf('text' in help ? help.text : '');
  const before = optionBefore(line, options);
  if (!before) return line.current.startsWith('-') ? longNames(options) : [];
  const [file] = plainWords(line, options);
  const container = file === undefined ? undefined : readQuietly(file)?.container;
  if (before.names.includes('--queue')) return container?.queue.map(({ name }) => name) ?? [];
  return before.names.includes('--suffix') ? [...(container?.suffixes ?? [])] : [];
}

/** Ignores errors: the container reports them when it starts. */
function readQuietly(file: string): Config | undefined {
  try {
    return readConfig(file);
  } catch {
    return undefined;
  }
}

async function parserOf(program: Program) {
  const { default: yargs } = await import('yargs');
  return yargs()
    .scriptName(program)
    .usage(
      `${program} FILE\n\n${DESCRIPTIONS[program]} FILE is an ini file; config.example.ini explains every option.`,
    )
    .parserConfiguration({ 'parse-positional-numbers': false, 'boolean-negation': false })
    .option('check', flag('Validate FILE, print the resolved settings, and exit'))
    .option('queue', repeatable('Consume only this queue, named as in FILE; may be repeated'))
    .option('suffix', value('Append __SUFFIX to the queue names'))
    .option('message-limit', value('Exit after N messages'))
    .option('idle-exit', value('Exit after SECONDS without a message (or 500ms, 5m, 1h30m)'))
    .option('daemonize', flag('Continue in the background once the container is ready'))
    .option(
      'pid-file',
      value('Write the process ID to this file; refuse to start while the process in it runs'),
    )
    .option('stop', flag('Stop the process of --pid-file, and wait until it has drained'))
    .option('print-unit', flag('Print a systemd unit for FILE and exit'))
    .option(
      'print-template-unit',
      flag(`Print a unit template, ${program}@.service, for all ini files in the folder of FILE, and exit`),
    )
    .epilogue(
      'Exit codes: 0 done or drained; 64 invalid usage; 69 broker, queue or something that the worker needs was unreachable at start; 70 internal error or uncaught exception; 75 a worker did not end; 78 invalid configuration.\nSignals: SIGTERM and SIGINT drain (a second one exits immediately), SIGHUP reopens the log files, SIGUSR2 ends a pause in polling.',
    )
    .strictOptions();
}

/** The value of an option, validated like in the ini file; undefined if it is not given. Throws UsageError. */
function read<Value>(
  command: string,
  option: string,
  rules: z.ZodType<Value | undefined>,
  given: string | undefined,
): Value | undefined {
  const { data, error } = rules.safeParse(given === undefined ? undefined : String(given));
  if (error) throw new UsageError(command, `--${option} ${given}: ${error.issues[0]?.message}.`);
  return data;
}

function override<Key extends string>(key: Key, value: number | undefined): { readonly [K in Key]?: number } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: number });
}
