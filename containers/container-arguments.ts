/** The command line of the containers, read with yargs. */
import yargs from 'yargs';
import { UsageError } from './usage-error.ts';
import { version } from './version.ts';

export interface ContainerArguments {
  /** The ini file. */
  readonly file: string;
  /** Validate, print the resolved settings, and exit. */
  readonly check: boolean;
  /** Overrides `message_limit`. */
  readonly messageLimit?: number;
  /** Overrides `idle_exit`, in seconds. */
  readonly idleExit?: number;
}

const DESCRIPTIONS = {
  sequential: 'Hands the messages of a queue to a worker, one at a time.',
} as const;

/** The arguments, or the text that `--help` or `--version` asks for. Throws UsageError. */
export async function parseContainerArguments(
  kind: keyof typeof DESCRIPTIONS,
  args: readonly string[],
): Promise<ContainerArguments | { readonly text: string }> {
  const command = `sqs-${kind}`;
  let text = '';
  let problem: string | undefined;
  const parser = yargs()
    .scriptName(command)
    .usage(
      `${command} FILE\n\n${DESCRIPTIONS[kind]} FILE is an ini file; config.example.ini explains each option.`,
    )
    .option('check', {
      type: 'boolean',
      default: false,
      describe: 'Validate FILE, print the resolved settings, exit',
    })
    .option('message-limit', { type: 'string', requiresArg: true, describe: 'Exit after N messages' })
    .option('idle-exit', {
      type: 'string',
      requiresArg: true,
      describe: 'Exit after SECONDS without a message',
    })
    .version(version)
    .help()
    .alias('help', 'h')
    .epilogue(
      'Exit codes: 0 done or drained, 64 wrong usage, 69 broker or queue unreachable at start, 70 defect, 75 a worker did not end, 78 bad configuration.\nSignals: TERM and INT drain (a second one ends at once), HUP reopens the log files, USR2 wakes a receiver that pauses.',
    )
    .wrap(110)
    .strict()
    .demandCommand(1, 1, 'Name an ini file.', 'Name one ini file, not several.')
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      problem ??= message || error?.message;
    });
  const parsed = await parser.parseAsync([...args], {}, (_error, _argv, output) => {
    text = output;
  });
  if (problem !== undefined) throw new UsageError(command, problem);
  if (parsed.help === true || parsed.version === true) return { text };
  const messageLimit = wholeNumber(command, 'message-limit', parsed.messageLimit);
  const idleExit = seconds(command, 'idle-exit', parsed.idleExit);
  return {
    file: String(parsed._[0]),
    check: parsed.check,
    ...(messageLimit !== undefined && { messageLimit }),
    ...(idleExit !== undefined && { idleExit }),
  };
}

function wholeNumber(command: string, option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,14}$/.test(value)) {
    throw new UsageError(command, `--${option} takes a whole number from 1, not "${value}".`);
  }
  return Number(value);
}

function seconds(command: string, option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!/^\d+(\.\d+)?$/.test(value))
    throw new UsageError(command, `--${option} takes seconds, not "${value}".`);
  return Number(value);
}
