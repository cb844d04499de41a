/** The command line of the containers: read with yargs, and completed for a shell. */

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
  /** Print a systemd unit for FILE, or a template of one, and exit. */
  readonly printUnit: 'service' | 'template' | undefined;
  /** Go on in the background. */
  readonly daemonize: boolean;
  /** Where the id of the process is written, or is read from to stop it. */
  readonly pidFile: string | undefined;
  /** End the process of the pid file instead of running one. */
  readonly stop: boolean;
  /** Only these of the configured queues; empty: all. */
  readonly queues: readonly string[];
  /** What goes behind the names of the queues; a word that can be part of one. */
  readonly suffix: string | undefined;
  /** What the command line has instead of the ini file; `idleExit` is in seconds. */
  readonly overrides: { readonly messageLimit?: number; readonly idleExit?: number };
}

const DESCRIPTIONS: Readonly<Record<Program, string>> = {
  'sqs-sequential': 'Hands the messages of its queues to a worker, one at a time.',
  'sqs-concurrent':
    'Hands the messages of its queues to a worker, many at a time, in one process or several.',
};

/** What is not given. */
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

/** The arguments, or the text that `--help` or `--version` asks for. Throws UsageError. */
export async function parseContainerArguments(
  program: Program,
  args: readonly string[],
): Promise<ContainerArguments | { readonly text: string }> {
  const [file, ...others] = args;
  // How services are started: without yargs, which takes longer to load than all of our own code.
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
  if (!file) throw new UsageError(program, 'Name an ini file.');
  if (others.length > 0) throw new UsageError(program, 'Name one ini file, not several.');
  const { daemonize, stop, pidFile } = parsed;
  if (stop && pidFile === undefined) {
    throw new UsageError(program, '--stop: which process? Name its --pid-file, too.');
  }
  if (stop && daemonize) throw new UsageError(program, '--stop and --daemonize: give one of the two.');
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

/** What may come next on a command line. `words` is what there is of it, from the program to the word under the cursor. */
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

/** What is wrong with the file, the container says when it is started. */
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
      `${program} FILE\n\n${DESCRIPTIONS[program]} FILE is an ini file; config.example.ini explains each option.`,
    )
    .parserConfiguration({ 'parse-positional-numbers': false, 'boolean-negation': false })
    .option('check', flag('Validate FILE, print the resolved settings, exit'))
    .option('queue', repeatable('Only this queue of those in FILE, as it is named there; may be repeated'))
    .option('suffix', value('Work on the queues with __SUFFIX behind their names'))
    .option('message-limit', value('Exit after N messages'))
    .option('idle-exit', value('Exit after SECONDS without a message (or 500ms, 5m, 1h30m)'))
    .option('daemonize', flag('Go on in the background, once messages are taken'))
    .option('pid-file', value('Write the process id to this file; refuse to run while its process runs'))
    .option('stop', flag('End the process of --pid-file, and wait until it has drained'))
    .option('print-unit', flag('Print a systemd unit for FILE, exit'))
    .option(
      'print-template-unit',
      flag(`Print a template of one, ${program}@.service, for all ini files in the folder of FILE, exit`),
    )
    .epilogue(
      'Exit codes: 0 done or drained, 64 wrong usage, 69 broker, queue or what the worker needs unreachable at start, 70 defect, 75 a worker did not end, 78 bad configuration.\nSignals: TERM and INT drain (a second one ends at once), HUP reopens the log files, USR2 wakes a receiver that pauses.',
    )
    .strictOptions();
}

/** The value of an option, read by the rules of the ini file; undefined if it is not given. Throws UsageError. */
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
