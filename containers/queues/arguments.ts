/** The command line of `sqs-queues`, read with yargs: what all commands share, and the commands one by one. */
import yargs from 'yargs';
import type { ExitCode } from '../exit-codes.ts';
import { flag, value } from '../option-kinds.ts';
import { UsageError } from '../usage-error.ts';
import { version } from '../version.ts';
import { clear } from './clear.ts';
import type { PlaceOptions } from './command.ts';
import { completion } from './completion.ts';
import { cost } from './cost.ts';
import { create } from './create.ts';
import { peek } from './peek.ts';
import type { Place } from './place.ts';
import { redrive } from './redrive.ts';
import { send } from './send.ts';
import { status } from './status.ts';
import { COMMAND } from './values.ts';
import { wait } from './wait.ts';

/** In the order of `--help`. */
const COMMANDS = [status, send, peek, clear, wait, redrive, create, cost, completion];

const NAME_A_COMMAND =
  'Name a command: status, send, peek, clear, wait, redrive, create, cost or completion.';

const EXIT_CODES =
  'Exit codes: 0 done, 64 wrong usage or not confirmed, 69 broker or queue unreachable or a message refused, 70 defect, 75 not done in time, 78 bad configuration.';

/** A command with its arguments, checked. */
export interface Chosen {
  readonly place: PlaceOptions;
  /** What the command itself was given. */
  readonly given: object;
  run(place: Place): Promise<ExitCode>;
}

/** What was chosen, or the text that `--help` or `--version` asks for. Throws UsageError. */
export async function parseQueuesArguments(
  args: readonly string[],
): Promise<Chosen | { readonly text: string }> {
  let chosen: Omit<Chosen, 'place'> | undefined;
  let text = '';
  let parser = yargs()
    .scriptName(COMMAND)
    .usage(`${COMMAND} COMMAND [QUEUE] [-c FILE | -b BROKER]\n\nManages queues.`)
    .parserConfiguration({ 'parse-positional-numbers': false, 'parse-numbers': false })
    .option('config', {
      alias: 'c',
      ...value('The broker of this ini file, and its queue_prefix before the names of queues'),
    })
    .option('broker', { alias: 'b', ...value('The broker at this address; names are as they are there') })
    .conflicts('config', 'broker')
    .option('json', flag('Print JSON'));
  for (const command of COMMANDS) {
    parser = command(parser, (given, run) => {
      chosen = { given, run: (place) => run(given, place) };
    });
  }
  const parsed = await parser
    .demandCommand(1, 1, NAME_A_COMMAND, NAME_A_COMMAND)
    .version(version)
    .help()
    .alias('help', 'h')
    .epilogue(EXIT_CODES)
    .wrap(110)
    .strict()
    .detectLocale(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      if (error instanceof UsageError) throw error;
      // yargs counts what is missing; here it can only be the one thing.
      const isMissing = message?.startsWith('Not enough non-option arguments');
      const missing = args.includes('completion') ? 'Name a shell: bash or zsh.' : 'Name a queue.';
      const text = isMissing ? missing : message || error.message;
      throw new UsageError(COMMAND, text.replace(/\s*\n\s*/g, ' '));
    })
    .parseAsync([...args], {}, (_error, _argv, output) => {
      text = output;
    });
  const { config, broker, json } = parsed;
  return chosen ? { ...chosen, place: { config, broker, json } } : { text };
}
