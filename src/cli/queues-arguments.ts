/** The command line of `sqs-queues`, parsed with yargs: the common options and the commands. */
import yargs from 'yargs';
import { type ExitCode, UsageError } from '../host/exit-codes.ts';
import { COMMAND, type CommandContext, type CommonOptions } from './command.ts';
import { flag, readCommandLine, usageText, value } from './command-line.ts';
import { clear } from './commands/clear.ts';
import { completion } from './commands/completion.ts';
import { cost } from './commands/cost.ts';
import { create } from './commands/create.ts';
import { peek } from './commands/peek.ts';
import { redrive } from './commands/redrive.ts';
import { send } from './commands/send.ts';
import { status } from './commands/status.ts';
import { wait } from './commands/wait.ts';
import { commandsOf } from './completion-words.ts';

/** In the order of `--help`. */
const COMMANDS = [status, send, peek, clear, wait, redrive, create, cost, completion];

const NAME_A_COMMAND =
  'Name a command: status, send, peek, clear, wait, redrive, create, cost or completion.';

const EXIT_CODES =
  'Exit codes: 0 success, 64 invalid usage or not confirmed, 69 broker or queue unavailable or a message refused, 70 bug, 75 not finished in time, 78 invalid configuration.';

/** A command with its validated arguments. */
export interface Chosen {
  readonly common: CommonOptions;
  /** The arguments of the command itself. */
  readonly given: object;
  run(context: CommandContext): Promise<ExitCode>;
}

/** The chosen command, or the text for `--help` or `--version`. Throws UsageError. */
export async function parseQueuesArguments(
  args: readonly string[],
): Promise<Chosen | { readonly text: string }> {
  let chosen: Omit<Chosen, 'common'> | undefined;
  let parser = yargs()
    .scriptName(COMMAND)
    .usage(`${COMMAND} COMMAND [QUEUE] [-c FILE | -b BROKER]\n\nManages queues.`)
    .parserConfiguration({ 'parse-positional-numbers': false, 'parse-numbers': false })
    .option('config', {
      alias: 'c',
      ...value('Use the broker of this ini file, and put its queue_prefix before queue names'),
    })
    .option('broker', { alias: 'b', ...value('Use the broker at this address; queue names do not change') })
    .option('json', flag('Print JSON'));
  for (const command of COMMANDS) {
    parser = command(parser, (given, run) => {
      chosen = { given, run: (context) => run(given, context) };
    });
  }
  const { given, text } = await readCommandLine(
    COMMAND,
    parser.demandCommand(1, 1, NAME_A_COMMAND, NAME_A_COMMAND).epilogue(EXIT_CODES).strict(),
    args,
    (problem) => textOf(problem, args),
  );
  const { config, broker, json } = given;
  if (config !== undefined && broker !== undefined) {
    throw new UsageError(COMMAND, 'Give either an ini file (-c) or a broker (-b), not both.');
  }
  return chosen ? { ...chosen, common: { config, broker, json } } : { text };
}

/** The `--help` text of the program, or of one command. */
export async function helpOf(...command: string[]): Promise<string> {
  const parsed = await parseQueuesArguments([...command, '--help']);
  return 'text' in parsed ? parsed.text : '';
}

async function textOf(problem: string, args: readonly string[]): Promise<string> {
  // yargs counts the missing arguments; here only a queue can be missing.
  if (problem.startsWith('Not enough non-option arguments')) return 'Name a queue.';
  const general = await helpOf();
  const command = args.find((arg) => commandsOf(general).includes(arg));
  return usageText(problem, args, command === undefined ? general : await helpOf(command));
}
