/** `sqs-queues`, from the command line to the exit code: opens the broker, runs a command, prints what it found. */
import { readFileSync } from 'node:fs';
import Table from 'cli-table3';
import type { Broker } from '../src/brokers/broker.ts';
import { openBroker } from '../src/brokers/open.ts';
import { type Config, readConfig } from '../src/config/config.ts';
import { fullName } from '../src/config/queue-names.ts';
import { encodeCall } from '../src/message/call.ts';
import { decodeLine } from '../src/message/messages-log.ts';
import { type QueueStatus, queueStatus, sendAll } from '../src/operations/queue-commands.ts';
import { environmentBroker } from '../src/producer/connections.ts';
import { complain } from './error-exit.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { parseQueuesArguments, type QueuesArguments } from './queues-arguments.ts';
import { UsageError } from './usage-error.ts';

/** Runs one command; resolves to the exit code. */
export async function queuesMain(args: readonly string[]): Promise<ExitCode> {
  let broker: Broker | undefined;
  try {
    const given = await parseQueuesArguments(args);
    if ('text' in given) {
      print(given.text);
      return exitCodes.done;
    }
    const config = given.config === undefined ? undefined : readConfig(given.config);
    broker = config
      ? await openBroker(config.container.broker, { directory: config.directory, sqs: config.sqs })
      : await openBroker(given.broker ?? environmentBroker() ?? 'sqs');
    return await run(withFullNames(given, config), broker);
  } catch (error) {
    return complain(error);
  } finally {
    await broker?.close();
  }
}

/** The arguments with the names that queues have at the broker: of an ini file, its queue_prefix comes before them. */
function withFullNames(given: QueuesArguments, config: Config | undefined): QueuesArguments {
  if (!config) return given;
  const { queue, deadLetterQueue: configured, queuePrefix: prefix } = config.container;
  const full = (name: string) => fullName(name, { prefix });
  if (given.command === 'status') {
    const all = [...queue.map(({ name }) => name), ...(configured === undefined ? [] : [configured])];
    return { ...given, queues: (given.queues.length > 0 ? given.queues : all).map(full) };
  }
  if (given.command === 'send') return { ...given, queue: full(given.queue) };
  const { deadLetterQueue, ...options } = given.options;
  const target = deadLetterQueue && { ...deadLetterQueue, name: full(deadLetterQueue.name) };
  return {
    ...given,
    queue: full(given.queue),
    options: { ...options, ...(target && { deadLetterQueue: target }) },
  };
}

function run(given: QueuesArguments, broker: Broker): Promise<ExitCode> {
  switch (given.command) {
    case 'status':
      return status(given, broker);
    case 'send':
      return send(given, broker);
    case 'create':
      return create(given, broker);
  }
}

type Given<Command> = Extract<QueuesArguments, { command: Command }>;

async function status({ queues, json }: Given<'status'>, broker: Broker): Promise<ExitCode> {
  const rows = await queueStatus(broker, queues);
  print(json ? JSON.stringify(rows) : describeStatus(rows));
  return exitCodes.done;
}

function describeStatus(rows: QueueStatus[]): string {
  const head = ['queue', 'visible', 'in flight', 'delayed'];
  const cells = rows.map(({ queue, visible, inFlight, delayed }) => [queue, visible, inFlight, delayed]);
  // Tab-separated where a program reads it.
  if (!process.stdout.isTTY) return [head, ...cells].map((row) => row.join('\t')).join('\n');
  const table = new Table({ head, colAligns: ['left', 'right', 'right', 'right'], style: { head: [] } });
  table.push(...cells);
  return table.toString();
}

async function send(given: Given<'send'>, broker: Broker): Promise<ExitCode> {
  const { queue, args, from, delaySeconds, groupId } = given;
  const bodies = from === undefined ? [encodeCall(args)] : bodiesOf(from);
  const options = {
    ...(delaySeconds !== undefined && { delaySeconds }),
    ...(groupId !== undefined && { groupId }),
  };
  const { sent, failed } = await sendAll(
    broker,
    queue,
    bodies.map((body) => ({ body, ...options })),
  );
  for (const { position, error } of failed) {
    process.stderr.write(`${from === undefined ? '' : `Message ${position} of ${from}: `}${error.message}\n`);
  }
  if (given.json) print(JSON.stringify(sent));
  else if (from === undefined)
    for (const { messageId, body } of sent) print(`Sent ${body} to ${queue}: ${messageId}`);
  else print(`Sent ${sent.length} of ${bodies.length} messages to ${queue}`);
  return failed.length > 0 ? exitCodes.unavailable : exitCodes.done;
}

/** The bodies of a messages log; `-` is standard input. */
function bodiesOf(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new UsageError('sqs-queues', `Cannot read ${file}: ${(error as Error).message}`);
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(decodeLine);
}

async function create(given: Given<'create'>, broker: Broker): Promise<ExitCode> {
  await broker.create(given.queue, given.options);
  print(
    given.json
      ? JSON.stringify({ queue: given.queue })
      : `The queue ${given.queue} is there, in ${broker.description}`,
  );
  return exitCodes.done;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
