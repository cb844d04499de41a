/** The broker for Amazon SQS and its emulators. */
import type { Broker, CreateOptions, Queue } from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { MAX_DELAY_SECONDS, MAX_LISTED_QUEUES } from '../rules/limits.ts';
import { nameOfUrl } from '../rules/queue-name.ts';
import { SqsClient } from './client.ts';
import { SqsQueue } from './queue.ts';
import { createQueue, openQueue, queueUrl } from './queue-attributes.ts';
import { resolveSettings, type SqsOptions } from './settings.ts';

/**
 * Opens SQS with the region, endpoint and credentials from the options or the AWS default chain. Sends no request yet.
 * Throws a BrokerError of kind `setup` if no region is configured or the endpoint is not a URL.
 */
export async function openSqs(options: SqsOptions = {}): Promise<Broker> {
  return new SqsBroker(new SqsClient(await resolveSettings(options)));
}

class SqsBroker implements Broker {
  readonly description: string;
  readonly maxDelaySeconds = MAX_DELAY_SECONDS;
  readonly makesQueues = false;
  readonly #client: SqsClient;

  constructor(client: SqsClient) {
    this.#client = client;
    this.description = client.description;
  }

  /** `name` may also be a queue URL. */
  async open(name: string): Promise<Queue> {
    return new SqsQueue(this.#client, await openQueue(this.#client, name));
  }

  create(name: string, options: CreateOptions = {}): Promise<void> {
    return createQueue(this.#client, name, options);
  }

  async remove(name: string): Promise<void> {
    try {
      const QueueUrl = await queueUrl(this.#client, name);
      await this.#client.request({ action: 'DeleteQueue', queue: name }, (sqs, options) =>
        sqs.deleteQueue({ QueueUrl }, options),
      );
    } catch (error) {
      if (!(error instanceof QueueNotFoundError)) throw error;
    }
  }

  async list(prefix = ''): Promise<string[]> {
    const names: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = {
        MaxResults: MAX_LISTED_QUEUES,
        ...(prefix !== '' && { QueueNamePrefix: prefix }),
        ...(NextToken !== undefined && { NextToken }),
      };
      const answer = await this.#client.request({ action: 'ListQueues' }, (sqs, options) =>
        sqs.listQueues(page, options),
      );
      names.push(...(answer.QueueUrls ?? []).map(nameOfUrl));
      NextToken = answer.NextToken;
    } while (NextToken !== undefined);
    return names;
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}
