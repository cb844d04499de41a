/** `sqs-queues cost`: estimates the monthly cost of SQS. */
import type { Argv } from 'yargs';
import { brokerKind, isSqs, withoutPassword } from '../../brokers/address.ts';
import { MAX_REQUEST_BYTES } from '../../brokers/rules/limits.ts';
import { isFifoName } from '../../brokers/rules/queue-name.ts';
import type { Config } from '../../config/config.ts';
import { processCount, settingsOf } from '../../container/program.ts';
import { exitCodes, UsageError } from '../../host/exit-codes.ts';
import { monthlyCost, PRICES, SECONDS_A_MONTH } from '../../observe/cost/cost.ts';
import {
  containerRequests,
  naiveRequests,
  type Requests,
  type Setup,
  type Workload,
} from '../../observe/cost/estimate.ts';
import { COMMAND, type Command, type CommandContext } from '../command.ts';
import { flag, value } from '../command-line.ts';
import { count, duration, rate } from '../option-values.ts';
import { formatTable, print, printJson } from '../terminal.ts';

interface Cost {
  readonly workload: Workload;
  readonly containers: number;
  readonly isConcurrent: boolean;
  readonly isFifo: boolean;
  /** Settings that override the ini file. */
  readonly settings: { readonly poll?: number; readonly idlePause?: number; readonly concurrency?: number };
}

const ABOUT = `Estimate the monthly requests to Amazon SQS and their cost, compared with a naive consumer that receives and deletes messages one by one. Makes no AWS requests: uses the prices of ${PRICES.region} as of ${PRICES.date}, without any other costs of the account. -c FILE takes queues and settings from an ini file.`;

export const cost: Command = (parser, choose) =>
  parser.command('cost', 'Estimate the monthly cost of SQS', options, (given) => {
    const { poll, idlePause, concurrency } = given;
    if (given.rate === undefined) {
      throw new UsageError(COMMAND, 'Give the message rate, for example --rate 50/s.');
    }
    const size = count('size', given.size);
    if (size > MAX_REQUEST_BYTES) {
      throw new UsageError(COMMAND, `--size: SQS accepts at most ${MAX_REQUEST_BYTES} bytes, not ${size}.`);
    }
    const wanted: Cost = {
      workload: { rate: rate('rate', given.rate), size, handling: duration('handling', given.handling) },
      containers: count('containers', given.containers),
      isConcurrent: given.concurrent || concurrency !== undefined,
      isFifo: given.fifo,
      settings: {
        ...(poll !== undefined && { poll: duration('poll', poll) }),
        ...(idlePause !== undefined && { idlePause: duration('idle-pause', idlePause) }),
        ...(concurrency !== undefined && { concurrency: count('concurrency', concurrency) }),
      },
    };
    choose(wanted, run);
  });

function options<Given>(command: Argv<Given>) {
  return command
    .usage(`$0 cost --rate 50/s [-c FILE]\n\n${ABOUT}`)
    .option('rate', value('The message rate: 50/s, 10/min, 500/h, 20000/day or 1e6/month'))
    .option('size', { ...value('Message size in bytes; SQS bills each 64 KiB'), default: '1024' })
    .option('handling', { ...value('How long a worker takes per message'), default: '10ms' })
    .option('containers', { ...value('The number of containers'), default: '1' })
    .option('concurrent', flag('The containers are sqs-concurrent; default: sqs-sequential'))
    .option(
      'concurrency',
      value("Messages handled at once in each process; default: the ini file's, else 10"),
    )
    .option('poll', value("Length of a long poll; default: the ini file's, else 20s"))
    .option('idle-pause', value("Longest pause between empty polls; default: the ini file's, else 0"))
    .option('fifo', flag('The queues are FIFO queues'))
    .example('$0 cost --rate 50/s -c worker.ini', 'with the settings of worker.ini')
    .example('$0 cost --rate 20000/day --containers 4 --idle-pause 10s', 'without an ini file');
}

async function run(given: Cost, context: CommandContext) {
  const { workload, isFifo } = given;
  const { config } = context;
  const kind = isFifo || config?.container.queue.some(({ name }) => isFifoName(name)) ? 'fifo' : 'standard';
  const setup = setupOf(given, config);
  const container = billOf(containerRequests(workload, setup), kind);
  const naive = billOf(naiveRequests(workload, setup), kind);
  if (context.json) {
    printJson({ workload, setup, kind, prices: PRICES, container, naive });
    return exitCodes.done;
  }
  if (config && !isSqs(config.container.broker)) print(noBill(config.container.broker));
  const name = given.isConcurrent ? 'sqs-concurrent' : 'sqs-sequential';
  print(describeBills(container, naive, name));
  print(
    [
      `${name}, ${counted(setup.processes, 'process', 'processes')} polling ${counted(setup.queues, 'queue', 'queues')}${perMessage(container, workload)}.`,
      `Prices in ${PRICES.region}, ${PRICES.date}: $${PRICES.perMillion[kind].toFixed(2)} per million requests (${kind} queues); an account's first million each month is free.`,
      'Assumes that each message is sent on its own; ten messages sent together are one request. Does not include retries, backlogs and visibility timeout extensions.',
    ].join('\n'),
  );
  return exitCodes.done;
}

function setupOf({ containers, isConcurrent, settings }: Cost, config: Config | undefined): Setup {
  const program = isConcurrent ? 'sqs-concurrent' : 'sqs-sequential';
  const container = config?.container;
  return {
    processes: containers * (config ? processCount(settingsOf(program, config)) : 1),
    queues: container?.queue.length ?? 1,
    slots: isConcurrent ? (settings.concurrency ?? container?.concurrency ?? 10) : 1,
    poll: settings.poll ?? container?.poll ?? 20,
    idlePause: settings.idlePause ?? container?.idlePause ?? 0,
    settleDelay: (container?.settleDelay ?? 200) / 1000,
  };
}

function perMessage({ requests }: Bill, { rate }: Workload): string {
  if (rate === 0) return '';
  const receiveAndDelete = (requests.ReceiveMessage + requests.DeleteMessage) / (rate * SECONDS_A_MONTH);
  return `: ${receiveAndDelete.toPrecision(2)} requests to receive and delete a message`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

interface Bill {
  readonly requests: Requests;
  readonly total: number;
  /** US dollars per month. */
  readonly cost: number;
}

function billOf(requests: Requests, kind: 'standard' | 'fifo'): Bill {
  const total = requests.SendMessage + requests.ReceiveMessage + requests.DeleteMessage;
  return {
    requests,
    total,
    cost: monthlyCost({ standard: 0, fifo: 0, [kind]: total }),
  };
}

function describeBills(container: Bill, naive: Bill, name: string): string {
  const rows = [
    ...(Object.keys(container.requests) as (keyof Requests)[]).map((action) => ({
      what: action,
      container: whole(container.requests[action]),
      naive: whole(naive.requests[action]),
    })),
    { what: 'requests per month', container: whole(container.total), naive: whole(naive.total) },
    { what: 'US dollars per month', container: container.cost.toFixed(2), naive: naive.cost.toFixed(2) },
  ];
  return formatTable(rows, [
    { head: 'action', cell: ({ what }) => what },
    { head: name, cell: (row) => row.container },
    { head: 'one by one', cell: (row) => row.naive },
  ]);
}

function whole(requests: number): string {
  return Math.round(requests).toLocaleString('en-US');
}

function noBill(broker: string): string {
  const name = brokerKind(broker) === 'custom' ? broker : withoutPassword(broker);
  return `${name} does not charge for requests. On SQS it would be:`;
}
