/** Reads a command line with yargs: declares the kinds of options, and explains mistakes to the person who typed it. */
import type { Argv } from 'yargs';
import { nearName } from '../config/suggestion.ts';
import { UsageError } from '../host/exit-codes.ts';
import { version } from '../host/package.ts';
import { commandsOf, longNames, optionsOf } from './completion-words.ts';

/**
 * Returns the parsed arguments, and the text to print for `--help` or `--version` ('' without them). `explain` turns
 * yargs's error message into one for people. Throws UsageError.
 */
export async function readCommandLine<Given>(
  command: string,
  parser: Argv<Given>,
  args: readonly string[],
  explain: (problem: string) => Promise<string>,
) {
  let text = '';
  try {
    const given = await parser
      .version(version)
      .help()
      .alias('help', 'h')
      .wrap(110)
      .detectLocale(false)
      .exitProcess(false)
      .showHelpOnFail(false)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseAsync([...args], {}, (_error, _argv, output) => {
        text = output;
      });
    return { given, text };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(command, await explain((error as Error).message));
  }
}

/**
 * Explains what is wrong with a command line, and what was probably meant. `problem` is yargs's message, `args` the
 * command line, and `help` the help text, which lists the options and commands.
 *
 *     usageText('Unknown argument: evry', ['wait', '--evry', '5'], help)
 *     // 'Unknown option --evry; did you mean --every?'
 *     usageText('Not enough arguments following: b', ['status', '-b'], help)
 *     // 'Option -b needs a value.'
 */
export function usageText(problem: string, args: readonly string[], help: string): string {
  const [, kind, names = ''] = /^(Unknown|Not enough) arguments?(?: following)?: (.*)$/.exec(problem) ?? [];
  const typed = names.split(', ').flatMap((name) => args.find((arg) => nameIn(arg) === name) ?? []);
  if (kind === undefined || typed.length === 0) return problem.replace(/\s*\n\s*/g, ' ');
  const words = typed.map((arg) => arg.split('=', 1)[0]!);
  if (kind === 'Not enough') return `Option ${words[0]} needs a value.`;
  return words.map((word) => describeUnknown(word, help)).join(' ');
}

/** The name as in yargs's messages, which omit an option's dashes and value. */
function nameIn(arg: string): string {
  return arg.startsWith('-') ? arg.replace(/^-+|=.*$/gs, '') : arg;
}

function describeUnknown(word: string, help: string): string {
  const commands = commandsOf(help);
  if (word.startsWith('-')) {
    const names = longNames(optionsOf(help)).map(nameIn);
    return `Unknown option ${word}${meant(nameIn(word), names, '--')}`;
  }
  if (commands.length > 0) return `Unknown command ${word}${meant(word, commands)}`;
  return `Unexpected argument "${word}".`;
}

function meant(word: string, allowed: readonly string[], dashes = ''): string {
  const near = nearName(word, allowed);
  return near === undefined
    ? `; expected ${allowed.map((name) => `${dashes}${name}`).join(', ')}.`
    : `; did you mean ${dashes}${near}?`;
}

/** For yargs: an option that takes a value, as a string. */
export function value(describe: string) {
  return { type: 'string', requiresArg: true, describe } as const;
}

/** For yargs: an option that takes a value and may be repeated. */
export function repeatable(describe: string) {
  return { type: 'string', array: true, nargs: 1, describe } as const;
}

/** For yargs: an option without a value; the next word on the command line is not its value. */
export function flag(describe: string) {
  return { type: 'boolean', default: false, nargs: 0, describe } as const;
}
