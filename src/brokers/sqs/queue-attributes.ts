/**
 * Looks up queues, reads their settings (SQS calls them queue attributes) on open, and writes them on create.
 */
import type { GetQueueAttributesResult, QueueAttributeName } from '@aws-sdk/client-sqs';
import type { CreateOptions } from '../broker.ts';
import { BrokerError } from '../errors.ts';
import { DEFAULT_VISIBILITY_TIMEOUT } from '../rules/limits.ts';
import { isFifoName } from '../rules/queue-name.ts';
import type { SqsClient } from './client.ts';
import { refusalCode } from './failures.ts';
import { isHttpUrl } from './settings.ts';

/** The codes for an existing queue with other settings, in the JSON protocol and in the query protocol. */
const NAME_TAKEN = new Set(['QueueNameExists', 'QueueAlreadyExists']);

/** A queue's URL and settings, as found on open. */
export interface OpenedQueue {
  readonly name: string;
  readonly url: string;
  readonly fifo: boolean;
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication: boolean;
  /** A warning for consumers only; producers do not see it. */
  readonly warning?: string;
}

/** Looks up a queue's URL; a name that is already a URL is returned unchanged. Throws QueueNotFoundError. */
export async function queueUrl(client: SqsClient, name: string, signal?: AbortSignal): Promise<string> {
  if (isHttpUrl(name)) return name;
  const about = { action: 'GetQueueUrl', queue: name, signal } as const;
  const { QueueUrl } = await client.leanRequest<{ QueueUrl: string }>(about, { QueueName: name });
  return QueueUrl;
}

/** Looks up a queue and reads its settings. If the permission to read them is missing, it uses the defaults and warns. */
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
      warning: `No permission to read the settings of the queue "${name}": assuming a visibility timeout of ${DEFAULT_VISIBILITY_TIMEOUT} seconds. Grant sqs:GetQueueAttributes to use the queue's own`,
    };
  }
}

/** Creates a queue, or updates the settings of an existing one. */
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

/** Converts settings to queue attributes. Omitted settings keep their SQS defaults. */
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

/** Reads the given attributes of a queue. */
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
