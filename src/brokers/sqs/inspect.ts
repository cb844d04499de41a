/** Queue inspection on SQS: the redrive policy, the sources of a dead-letter queue, and message move tasks. */
import type { DeadLetterTarget, MoveProgress, MoveTask, QueueInspection } from '../broker.ts';
import { BrokerError, QueueNotFoundError } from '../errors.ts';
import { MAX_LISTED_QUEUES } from '../rules/limits.ts';
import { nameOfUrl } from '../rules/queue-name.ts';
import type { SqsClient } from './client.ts';
import { queueUrl, readAttributes } from './queue-attributes.ts';

/** A queue's name and URL, for requests. */
interface QueueAddress {
  readonly name: string;
  readonly url: string;
}

/**
 * Returns the inspection operations of a queue; `atUrl` runs a request with the queue's URL. `peek` and `oldest` are omitted:
 * on SQS only a receive can read messages.
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

/** Reads the queue's dead-letter queue; undefined if it has none. */
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

/** The names of the queues that use this queue as their dead-letter queue, sorted. */
async function deadLetterSources(client: SqsClient, { name, url }: QueueAddress): Promise<string[]> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = {
      QueueUrl: url,
      MaxResults: MAX_LISTED_QUEUES,
      ...(NextToken !== undefined && { NextToken }),
    };
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
 * Starts a message move task. Resolves with undefined if SQS refuses: no redrive policy names the queue as its dead-letter
 * queue, the permission is missing, or the emulator lacks the action. Throws if a task for this queue is already running.
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
    // A task is already running: a second move would compete for the same messages.
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
      // The most recent task comes first.
      sqs.listMessageMoveTasks({ SourceArn: this.#arn, MaxResults: 1 }, options),
    );
    const moved = task.ApproximateNumberOfMessagesMoved ?? 0;
    const total = task.ApproximateNumberOfMessagesToMove;
    if (task.Status === 'FAILED') {
      const reason = task.FailureReason ?? 'no reason given';
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
