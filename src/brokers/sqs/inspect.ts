/** What commands ask of a queue: what SQS knows of its dead letters, and SQS's own way to move their messages back. */
import type { DeadLetterTarget, MoveProgress, MoveTask, QueueInspection } from '../broker.ts';
import { BrokerError, QueueNotFoundError } from '../errors.ts';
import { nameOfUrl } from '../rules/queue-name.ts';
import type { SqsClient } from './client.ts';
import { queueUrl, readAttributes } from './queue-attributes.ts';

/** A queue as requests name it. */
interface QueueAddress {
  readonly name: string;
  readonly url: string;
}

/**
 * What commands ask of a queue, which `atUrl` runs a request on. There is no `peek` and no `oldest`: SQS shows a message only
 * to a receive.
 */
export function inspection(
  client: SqsClient,
  name: string,
  atUrl: <Answer>(request: (url: string) => Promise<Answer>) => Promise<Answer>,
): QueueInspection {
  return {
    deadLetterQueue: () => atUrl((url) => readDeadLetterTarget(client, { name, url })),
    deadLetterSources: () => atUrl((url) => deadLetterSources(client, { name, url })),
    startMove: (target) => atUrl((url) => startMove(client, { name, url }, target)),
  };
}

/** Where messages go that are received too often, if they go anywhere. */
async function readDeadLetterTarget(
  client: SqsClient,
  { name, url }: QueueAddress,
): Promise<DeadLetterTarget | undefined> {
  const { RedrivePolicy } = await readAttributes(client, name, url, ['RedrivePolicy']);
  if (!RedrivePolicy) return undefined;
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(RedrivePolicy) as {
    readonly deadLetterTargetArn: string;
    readonly maxReceiveCount: number | string;
  };
  // arn:aws:sqs:REGION:ACCOUNT:NAME
  return {
    name: deadLetterTargetArn.slice(deadLetterTargetArn.lastIndexOf(':') + 1),
    maxReceives: Number(maxReceiveCount),
  };
}

/** SQS: the most queues that one request lists. */
const LARGEST_LIST = 1000;

/** The names of the queues whose dead-letter queue this one is. */
async function deadLetterSources(client: SqsClient, { name, url }: QueueAddress): Promise<string[]> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = { QueueUrl: url, MaxResults: LARGEST_LIST, ...(NextToken !== undefined && { NextToken }) };
    const answer = await client.request(
      { action: 'ListDeadLetterSourceQueues', queue: name },
      (sqs, options) => sqs.listDeadLetterSourceQueues(page, options),
    );
    names.push(...(answer.queueUrls ?? []).map(nameOfUrl));
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return names.sort();
}

/**
 * Starts a message move task. Undefined if SQS does not take it: where the queue is no dead-letter queue by a redrive policy,
 * without the permission, or on an emulator that has no such action. Throws if such a task is under way.
 */
async function startMove(
  client: SqsClient,
  { name, url }: QueueAddress,
  target?: string,
): Promise<MoveTask | undefined> {
  const SourceArn = await queueArn(client, { name, url });
  const DestinationArn =
    target === undefined
      ? undefined
      : await queueArn(client, { name: target, url: await queueUrl(client, target) });
  try {
    const { TaskHandle } = await client.request(
      { action: 'StartMessageMoveTask', queue: name },
      (sqs, options) =>
        sqs.startMessageMoveTask({ SourceArn, ...(DestinationArn && { DestinationArn }) }, options),
    );
    return new SqsMoveTask(client, name, SourceArn, TaskHandle);
  } catch (error) {
    if (!(error instanceof BrokerError) || !REFUSALS.has(error.kind)) throw error;
    // A second one beside it would move the same messages elsewhere.
    if (/already/i.test(error.message)) throw error;
    return undefined;
  }
}

const REFUSALS = new Set(['rejected', 'denied']);

class SqsMoveTask implements MoveTask {
  readonly #client: SqsClient;
  readonly #queue: string;
  readonly #arn: string;
  readonly #handle: string | undefined;

  constructor(client: SqsClient, queue: string, arn: string, handle: string | undefined) {
    this.#client = client;
    this.#queue = queue;
    this.#arn = arn;
    this.#handle = handle;
  }

  async progress(): Promise<MoveProgress> {
    const about = { action: 'ListMessageMoveTasks', queue: this.#queue } as const;
    const { Results: [task = {}] = [] } = await this.#client.request(about, (sqs, options) =>
      // The last one that was started comes first.
      sqs.listMessageMoveTasks({ SourceArn: this.#arn, MaxResults: 1 }, options),
    );
    const moved = task.ApproximateNumberOfMessagesMoved ?? 0;
    const total = task.ApproximateNumberOfMessagesToMove;
    if (task.Status === 'FAILED') {
      const reason = task.FailureReason ?? 'it does not say why';
      throw new BrokerError(
        'rejected',
        `${this.#client.description} moved ${moved} messages of "${this.#queue}" and then failed: ${reason}`,
      );
    }
    return {
      moved,
      ...(total !== undefined && { total }),
      isOver: task.Status === 'COMPLETED' || task.Status === 'CANCELLED',
      isCancelled: task.Status === 'CANCELLED',
    };
  }

  async cancel(): Promise<void> {
    const about = { action: 'CancelMessageMoveTask', queue: this.#queue } as const;
    await this.#client.request(about, (sqs, options) =>
      sqs.cancelMessageMoveTask({ TaskHandle: this.#handle }, options),
    );
  }
}

async function queueArn(client: SqsClient, { name, url }: QueueAddress): Promise<string> {
  const { QueueArn } = await readAttributes(client, name, url, ['QueueArn']);
  if (QueueArn === undefined) throw new QueueNotFoundError(name, client.description);
  return QueueArn;
}
