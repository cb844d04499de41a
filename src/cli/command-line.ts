/** Reads a command line with yargs: the kinds of options, and what is wrong with one, in words for the one who typed it. */
import type { Argv } from 'yargs';
import { nearName } from '../config/suggestion.ts';
import { UsageError } from '../host/exit-codes.ts';
import { version } from '../host/package.ts';
import { commandsOf, longNames, optionsOf } from './completion-words.ts';

/**
 * What was given, and the text that `--help` or `--version` asks for, '' without one of them. `explain` says in plain words
 * what yargs has against it. Throws UsageError.
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
 * What is wrong, and what was probably meant. `problem` is what yargs says, `args` the command line, and `help` the text that
 * has its options and commands.
 *
 *     usageText('Unknown argument: evry', ['wait', '--evry', '5'], help)    // 'There is no option --evry; did you mean --every?'
 *     usageText('Not enough arguments following: b', ['status', '-b'], help)    // 'The option -b needs a value.'
 */
export function usageText(problem: string, args: readonly string[], help: string): string {
  const [, kind, names = ''] = /^(Unknown|Not enough) arguments?(?: following)?: (.*)$/.exec(problem) ?? [];
  const typed = names.split(', ').flatMap((name) => args.find((arg) => nameIn(arg) === name) ?? []);
  if (kind === undefined || typed.length === 0) return problem.replace(/\s*\n\s*/g, ' ');
  const words = typed.map((arg) => arg.split('=', 1)[0]!);
  if (kind === 'Not enough') return `The option ${words[0]} needs a value.`;
  return words.map((word) => describeUnknown(word, help)).join(' ');
}

/** yargs leaves the dashes and the value of an option out. */
function nameIn(arg: string): string {
  return arg.startsWith('-') ? arg.replace(/^-+|=.*$/gs, '') : arg;
}

function describeUnknown(word: string, help: string): string {
  const commands = commandsOf(help);
  if (word.startsWith('-')) {
    const names = longNames(optionsOf(help)).map(nameIn);
    return `There is no option ${word}${meant(nameIn(word), names, '--')}`;
  }
  if (commands.length > 0) return `There is no command ${word}${meant(word, commands)}`;
  return `"${word}" is one argument too many.`;
}

function meant(word: string, allowed: readonly string[], dashes = ''): string {
  const near = nearName(word, allowed);
  return near === undefined
    ? `: there are ${allowed.map((name) => `${dashes}${name}`).join(', ')}.`
    : `; did you mean ${dashes}${near}?`;
}

/** For yargs: an option that takes a value, which comes as a text. */
export function value(describe: string) {
  return { type: 'string', requiresArg: true, describe } as const;
}

/** An option that takes a value, and may be given several times. */
export function repeatable(describe: string) {
  return { type: 'string', array: true, nargs: 1, describe } as const;
}

/** An option that is there or not: what follows it is not its value. */
export function flag(describe: string) {
  return { type: 'boolean', default: false, nargs: 0, describe } as const;
}
