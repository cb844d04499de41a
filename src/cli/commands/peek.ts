/** `sqs-queues peek`: shows messages, and leaves them in their queue. */
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
  'Show messages, and leave them in the queue. SQS shows none that is not received: there each counts as received once more, comes behind the others, and its group waits for a moment on a FIFO queue.';

export const peek: Command = (parser, choose) =>
  parser.command(
    'peek <queue>',
    'Show messages without taking them',
    (command) =>
      command
        .usage(`$0 peek QUEUE [--count N]\n\n${ABOUT}`)
        .positional('queue', { type: 'string', demandOption: true, describe: 'The name of the queue' })
        .option('count', { alias: 'n', ...value('How many at most'), default: '10' })
        .option('yes', {
          alias: 'y',
          ...flag('Where a receive brings messages nearer to the dead-letter queue: do not ask'),
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
    if (messages.length === 0) print(`No message of ${queue.name} is visible.`);
    else if (!canPeek)
      print(`${countOf(messages.length, 'message')} received, which counts, and given back.`);
  }
  return exitCodes.done;
}

function receiving({ name }: Queue, target: DeadLetterTarget): Confirmation {
  return {
    warning: `To show a message of ${name}, SQS counts it as received, and after ${target.maxReceives} receives it goes to ${target.name}.`,
    question: 'Show messages all the same?',
    otherwise: 'Nothing was received.',
  };
}

/** On a terminal, a long body fills no more than some lines. */
const LONGEST_SHOWN = 2_000;

/** A message for people: a line about it, its attributes, its body. */
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
