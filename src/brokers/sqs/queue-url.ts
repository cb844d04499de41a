/** SQS names queues by URL in its requests: from a queue's name to its URL. */
import type { SqsClient } from './client.ts';
import { isHttpUrl } from './settings.ts';

/** The URL of the queue of this name; a name that is a URL itself is taken as it is. Throws QueueNotFoundError. */
export async function queueUrl(client: SqsClient, name: string, signal?: AbortSignal): Promise<string> {
  if (isHttpUrl(name)) return name;
  const about = { action: 'GetQueueUrl', queue: name, signal } as const;
  const { QueueUrl } = await client.leanRequest<{ QueueUrl: string }>(about, { QueueName: name });
  return QueueUrl;
}
