/** `sqs-queues peek`: shows messages and leaves them in their queue. */
import type { DeadLetterTarget, MessageAttribute, PeekedMessage, Queue } from '../../brokers/broker.ts';
import { type ExitCode, exitCodes } from '../../host/exit-codes.ts';
import { encodeLine } from '../../message/log-lines.ts';
import { openExisting } from '../../queues/open-queue.ts';
import { peekMessages } from '../../queues/peek-messages.ts';
import type { Command, CommandContext } from '../command.ts';
import { flag, value } from '../command-line.ts';
import { count } from '../option-values.ts';
import { type Confirmation, confirm, countOf, formatSeconds, print, printJson } from '../terminal.ts';

interface Peek {
  readonly queue: string;
  readonly count: number;
  readonly yes: boolean;
}

const ABOUT =
  'Show messages and leave them in the queue. SQS can only show a message by receiving it: this raises its receive count, moves it behind the other messages, and on a FIFO queue blocks its group for a moment.';

export const peek: Command = (parser, choose) =>
  parser.command(
    'peek <queue>',
    'Show messages without removing them',
    (command) =>
      command
        .usage(`$0 peek QUEUE [--count N]\n\n${ABOUT}`)
        .positional('queue', { type: 'string', demandOption: true, describe: 'The name of the queue' })
        .option('count', { alias: 'n', ...value('The maximum number of messages'), default: '10' })
        .option('yes', {
          alias: 'y',
          ...flag('Do not ask for confirmation if a receive brings messages closer to the dead-letter queue'),
        }),
    (given) => choose({ queue: given.queue, count: count('count', given.count), yes: given.yes }, run),
  );

async function run(given: Peek, context: CommandContext): Promise<ExitCode> {
  const queue = await openExisting(await context.broker(), context.fullName(given.queue));
  const canPeek = queue.inspect?.peek !== undefined;
  const target = canPeek ? undefined : await queue.inspect?.deadLetterQueue?.();
  if (target && !(await confirm(receiving(queue, target), given.yes))) return exitCodes.usage;
  const messages = await peekMessages(queue, given.count);
  if (context.json) printJson(messages.map(asJson));
  else for (const message of messages) print(describeMessage(message, Date.now()));
  if (!context.json) {
    if (messages.length === 0) print(`${queue.name} has no visible messages.`);
    else if (!canPeek) print(describeReceive(messages.length));
  }
  return exitCodes.done;
}

function describeReceive(count: number): string {
  const them = count === 1 ? 'it' : 'them';
  return `Received ${countOf(count, 'message')} and returned ${them} to the queue. This counts as a receive.`;
}

function receiving({ name }: Queue, target: DeadLetterTarget): Confirmation {
  return {
    warning: `SQS can only show a message in ${name} by receiving it, and after ${target.maxReceives} receives it goes to ${target.name}.`,
    question: 'Show messages anyway?',
    otherwise: 'No messages were received.',
  };
}

/** On a terminal, a long body is cut off after a few lines. In characters. */
const LONGEST_SHOWN = 2_000;

/** A message as text: a summary line, its attributes, its body. */
export function describeMessage(
  message: PeekedMessage,
  now: number,
  longest = process.stdout.isTTY ? LONGEST_SHOWN : Number.POSITIVE_INFINITY,
): string {
  const { id, sentAt, receiveCount, groupId, attributes, body } = message;
  const facts = [
    encodeLine(id),
    `sent ${new Date(sentAt).toISOString()}, ${formatSeconds((now - sentAt) / 1000)} ago`,
    `received ${receiveCount === 1 ? 'once' : countOf(receiveCount, 'time')}`,
    ...(groupId === undefined ? [] : [`group ${encodeLine(groupId)}`]),
  ];
  const lines = Object.entries(attributes).map(
    ([name, attribute]) => `  ${encodeLine(name)}: ${encodeLine(textOf(attribute))}`,
  );
  const line = encodeLine(body);
  const shown =
    line.length <= longest
      ? line
      : `${line.slice(0, longest)}… (${countOf(line.length, 'character')}; --json shows all)`;
  return [facts.join('  '), ...lines, `  ${shown}`].join('\n');
}

function textOf({ stringValue, binaryValue }: MessageAttribute): string {
  return stringValue ?? `${countOf(binaryValue?.byteLength ?? 0, 'byte')} of binary data`;
}

/** As JSON: binary attributes in base64. */
function asJson({ attributes, ...message }: PeekedMessage) {
  const entries = Object.entries(attributes).map(([name, { binaryValue, ...attribute }]) => [
    name,
    binaryValue ? { ...attribute, binaryValue: Buffer.from(binaryValue).toString('base64') } : attribute,
  ]);
  return { ...message, attributes: Object.fromEntries(entries) };
}
