/** Tab completion for the command line of `sqs-queues`: commands, options, queue names. */
import { realMachine, resolvesWithin } from '../host/host.ts';
import { CommandContext } from './command.ts';
import {
  commandsOf,
  longNames,
  type Option,
  optionBefore,
  optionsOf,
  plainWords,
  type Unfinished,
  unfinished,
} from './completion-words.ts';
import { helpOf } from './queues-arguments.ts';

/** How many queues each command takes. */
const QUEUES: Readonly<Record<string, number>> = {
  status: Number.POSITIVE_INFINITY,
  clear: Number.POSITIVE_INFINITY,
  wait: Number.POSITIVE_INFINITY,
  send: 1,
  peek: 1,
  redrive: 1,
  create: 1,
};
/** Options whose values are queue names. */
const QUEUE_OPTIONS = ['--to', '--dead-letter-queue'];
const SHELLS = ['bash', 'zsh'];
/** The longest wait after someone presses the tab key, in milliseconds. */
const PATIENCE_MS = 1_500;

/** The possible completions. `words` is the command line, from the program to the word under the cursor. */
export async function queuesCompletions(words: readonly string[]): Promise<string[]> {
  const line = unfinished(words);
  const general = await helpOf();
  const [command, ...queues] = plainWords(line, optionsOf(general));
  const options = command === undefined ? optionsOf(general) : optionsOf(await helpOf(command));
  const before = optionBefore(line, options);
  if (before) return before.names.some((name) => QUEUE_OPTIONS.includes(name)) ? namesOf(line) : [];
  if (line.current.startsWith('-')) return longNames(options);
  if (command === undefined) return commandsOf(general);
  if (command === 'completion') return SHELLS;
  // The preceding words may be values of the command's own options.
  const count = Math.min(queues.length, plainWords(line, options).length - 1);
  return count < (QUEUES[command] ?? 0) ? namesOf(line) : [];
}

/** The queue names at the broker of the command line, or in its ini file if the broker does not respond. Never fails. */
async function namesOf(line: Unfinished): Promise<string[]> {
  let context: CommandContext | undefined;
  let names: string[] = [];
  try {
    context = await CommandContext.of({
      config: valueIn(line, CONFIG),
      broker: valueIn(line, BROKER),
      json: false,
    });
    names = context.configured;
    const opened = context;
    const listing = opened.broker().then(async (broker) => {
      names = await broker.list(opened.fullName(''));
    });
    await resolvesWithin(realMachine, listing, PATIENCE_MS);
  } catch {
    // The command itself reports any error when it runs.
  }
  const prefix = context?.fullName('') ?? '';
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}

const CONFIG: Option = { names: ['-c', '--config'], takesValue: true };
const BROKER: Option = { names: ['-b', '--broker'], takesValue: true };

/** The value of an option on the command line: `-c worker.ini` or `--config=worker.ini`. */
function valueIn({ given }: Unfinished, { names }: Option): string | undefined {
  const index = given.findIndex((word) => names.some((name) => word === name || word.startsWith(`${name}=`)));
  const word = given[index];
  if (word === undefined) return undefined;
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : given[index + 1];
}
