/**
 * Finds a queue, and its settings, which SQS calls queue attributes: read when it is opened, written when it is created.
 */
import type { GetQueueAttributesResult, QueueAttributeName } from '@aws-sdk/client-sqs';
import type { CreateOptions } from '../broker.ts';
import { BrokerError } from '../errors.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { SqsClient } from './client.ts';
import { refusalCode } from './failures.ts';
import { isHttpUrl } from './settings.ts';

/** SQS's default, taken when a queue's own may not be read. In seconds. */
const DEFAULT_VISIBILITY_TIMEOUT = 30;
/** A queue of this name has other settings: the code of the JSON protocol and that of the query protocol. */
const NAME_TAKEN = new Set(['QueueNameExists', 'QueueAlreadyExists']);

/** What opening a queue found out. */
export interface OpenedQueue {
  readonly name: string;
  readonly url: string;
  readonly fifo: boolean;
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication: boolean;
  /** What whoever receives should know. Who only sends should not be bothered with it. */
  readonly warning?: string;
}

/** The URL of the queue of this name; a name that is a URL itself is taken as it is. Throws QueueNotFoundError. */
export async function queueUrl(client: SqsClient, name: string, signal?: AbortSignal): Promise<string> {
  if (isHttpUrl(name)) return name;
  const about = { action: 'GetQueueUrl', queue: name, signal } as const;
  const { QueueUrl } = await client.leanRequest<{ QueueUrl: string }>(about, { QueueName: name });
  return QueueUrl;
}

/** Looks a queue up and reads its settings. A consumer that may not read them still works. */
export async function openQueue(client: SqsClient, name: string): Promise<OpenedQueue> {
  const url = await queueUrl(client, name);
  const fifo = isFifoName(url);
  const queue = { name, url, fifo };
  try {
    const attributes = await readAttributes(client, name, url, [
      'VisibilityTimeout',
      ...(fifo ? (['ContentBasedDeduplication'] as const) : []),
    ]);
    return {
      ...queue,
      visibilityTimeout: Number(attributes.VisibilityTimeout ?? DEFAULT_VISIBILITY_TIMEOUT),
      contentBasedDeduplication: attributes.ContentBasedDeduplication === 'true',
    };
  } catch (error) {
    if (!(error instanceof BrokerError && error.kind === 'denied')) throw error;
    return {
      ...queue,
      visibilityTimeout: DEFAULT_VISIBILITY_TIMEOUT,
      contentBasedDeduplication: false,
      warning: `The settings of the queue "${name}" may not be read: its visibility timeout is taken to be ${DEFAULT_VISIBILITY_TIMEOUT} seconds. Grant sqs:GetQueueAttributes to use the queue's own`,
    };
  }
}

/** Makes a queue, or gives an existing one these settings. */
export async function createQueue(client: SqsClient, name: string, options: CreateOptions): Promise<void> {
  const attributes = attributesOf(options, await deadLetterArn(client, options));
  const fixed = isFifoName(name) ? { FifoQueue: 'true' } : {};
  try {
    await client.request({ action: 'CreateQueue', queue: name }, (sqs, requestOptions) =>
      sqs.createQueue({ QueueName: name, Attributes: { ...attributes, ...fixed } }, requestOptions),
    );
  } catch (error) {
    if (!NAME_TAKEN.has(refusalCode(error) ?? '')) throw error;
    const QueueUrl = await queueUrl(client, name);
    await client.request({ action: 'SetQueueAttributes', queue: name }, (sqs, requestOptions) =>
      sqs.setQueueAttributes({ QueueUrl, Attributes: attributes }, requestOptions),
    );
  }
}

/** Settings as SQS writes them. What is not given stays SQS's default. */
function attributesOf(
  options: CreateOptions,
  deadLetterTargetArn: string | undefined,
): Partial<Record<QueueAttributeName, string>> {
  const { visibilityTimeout, delaySeconds, retentionSeconds, deadLetterQueue, contentBasedDeduplication } =
    options;
  return {
    ...(visibilityTimeout !== undefined && { VisibilityTimeout: String(visibilityTimeout) }),
    ...(delaySeconds !== undefined && { DelaySeconds: String(delaySeconds) }),
    ...(retentionSeconds !== undefined && { MessageRetentionPeriod: String(retentionSeconds) }),
    ...(contentBasedDeduplication !== undefined && {
      ContentBasedDeduplication: String(contentBasedDeduplication),
    }),
    ...(deadLetterQueue && {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: deadLetterQueue.maxReceives }),
    }),
  };
}

async function deadLetterArn(
  client: SqsClient,
  { deadLetterQueue }: CreateOptions,
): Promise<string | undefined> {
  if (!deadLetterQueue) return undefined;
  const { name } = deadLetterQueue;
  const { QueueArn } = await readAttributes(client, name, await queueUrl(client, name), ['QueueArn']);
  return QueueArn;
}

/** Reads attributes of a queue. */
export async function readAttributes(
  client: SqsClient,
  queue: string,
  QueueUrl: string,
  AttributeNames: QueueAttributeName[],
): Promise<Partial<Record<QueueAttributeName, string>>> {
  const input = { QueueUrl, AttributeNames };
  const answer = await client.leanRequest<GetQueueAttributesResult>(
    { action: 'GetQueueAttributes', queue },
    input,
  );
  return answer.Attributes ?? {};
}
