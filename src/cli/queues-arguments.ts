/** The command line of `sqs-queues`, read with yargs: what all commands share, and the commands one by one. */
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
  'Exit codes: 0 done, 64 wrong usage or not confirmed, 69 broker or queue unreachable or a message refused, 70 defect, 75 not done in time, 78 bad configuration.';

/** A command with its arguments, checked. */
export interface Chosen {
  readonly common: CommonOptions;
  /** What the command itself was given. */
  readonly given: object;
  run(context: CommandContext): Promise<ExitCode>;
}

/** What was chosen, or the text that `--help` or `--version` asks for. Throws UsageError. */
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
      ...value('The broker of this ini file, and its queue_prefix before the names of queues'),
    })
    .option('broker', { alias: 'b', ...value('The broker at this address; names are as they are there') })
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

/** What `--help` says, of all commands or of one. */
export async function helpOf(...command: string[]): Promise<string> {
  const parsed = await parseQueuesArguments([...command, '--help']);
  return 'text' in parsed ? parsed.text : '';
}

async function textOf(problem: string, args: readonly string[]): Promise<string> {
  // yargs counts what is missing; here it can only be the one thing.
  if (problem.startsWith('Not enough non-option arguments')) return 'Name a queue.';
  const general = await helpOf();
  const command = args.find((arg) => commandsOf(general).includes(arg));
  return usageText(problem, args, command === undefined ? general : await helpOf(command));
}
