/** `sqs-queues send`: sends a call, or the bodies in a messages log. */
import type { Argv } from 'yargs';
import { type ExitCode, exitCodes, UsageError } from '../../host/exit-codes.ts';
import { encodeCall } from '../../message/call.ts';
import { sendMessages } from '../../queues/send-messages.ts';
import { COMMAND, type Command, type CommandContext, positionals } from '../command.ts';
import { repeatable, value } from '../command-line.ts';
import { bodiesOf, jsonOrText, keyword, seconds } from '../option-values.ts';
import { print, printJson } from '../terminal.ts';

interface Send {
  readonly queue: string;
  readonly args: readonly unknown[];
  readonly from?: string;
  readonly delaySeconds?: number;
  readonly groupId?: string;
}

export const send: Command = (parser, choose) =>
  parser.command(
    'send <queue> [args..]',
    'Send a call, or the bodies in a messages log',
    options,
    (given) => {
      const { queue, kw = [], from, delay, group } = given;
      const args = positionals(given, given.args);
      if (from !== undefined && args.length + kw.length > 0) {
        throw new UsageError(COMMAND, 'Give either the arguments of one call or --from FILE, not both.');
      }
      const keywords = kw.map(keyword);
      const chosen: Send = {
        queue,
        args: [...args.map(jsonOrText), ...(keywords.length > 0 ? [Object.fromEntries(keywords)] : [])],
        ...(from !== undefined && { from }),
        ...(delay !== undefined && { delaySeconds: seconds('delay', delay) }),
        ...(group !== undefined && { groupId: group }),
      };
      choose(chosen, run);
    },
  );

function options<Given>(command: Argv<Given>) {
  return command
    .positional('queue', { type: 'string', demandOption: true, describe: 'The name of the queue' })
    .positional('args', {
      type: 'string',
      array: true,
      describe: 'The arguments of the call: each is JSON, otherwise text',
    })
    .option('kw', repeatable('A keyword argument, key=value; can be repeated'))
    .option('from', value('Send the bodies in this messages log, one per line; - reads standard input'))
    .option('delay', value('Delay before the message can be received, in seconds'))
    .option('group', value('The message group'))
    .example('$0 send adder 1 2 3 -c worker.ini', 'sends [[1,2,3],{}]')
    .example('$0 send adder 1 --kw x=3', 'sends [[1],{"x":3}]')
    .example('$0 send adder --from messages.log', 'sends failed messages again');
}

async function run(
  { args, from, delaySeconds, groupId, ...given }: Send,
  context: CommandContext,
): Promise<ExitCode> {
  const queue = context.fullName(given.queue);
  const bodies = from === undefined ? [encodeCall(args)] : bodiesOf(from);
  const settings = {
    ...(delaySeconds !== undefined && { delaySeconds }),
    ...(groupId !== undefined && { groupId }),
  };
  const messages = bodies.map((body) => ({ body, ...settings }));
  const { sent, failed } = await sendMessages(await context.brokerToFill(), queue, messages);
  for (const { position, error } of failed) {
    process.stderr.write(`${from === undefined ? '' : `Message ${position} in ${from}: `}${error.message}\n`);
  }
  if (context.json) printJson(sent);
  else if (from !== undefined) print(`Sent ${sent.length} of ${bodies.length} messages to ${queue}`);
  else for (const { messageId, body } of sent) print(`Sent ${body} to ${queue}: ${messageId}`);
  return failed.length > 0 ? exitCodes.unavailable : exitCodes.done;
}
