/** An SQS queue: implements the broker contract with SQS requests of up to ten entries. */
import type { BatchResultErrorEntry, GetQueueAttributesResult, SQS } from '@aws-sdk/client-sqs';
import type {
  EntryFailure,
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  QueueCounts,
  QueueInspection,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../broker.ts';
import { QueueNotFoundError } from '../errors.ts';
import { MAX_WAIT_SECONDS, SQS_LIMITS } from '../rules/limits.ts';
import type { LeanRequestAbout, SqsClient } from './client.ts';
import { entryFailure, refusalCode } from './failures.ts';
import { inspection } from './inspect.ts';
import { fromSqs, type ReceivedMessage, SYSTEM_ATTRIBUTES, toSqs } from './message.ts';
import { type OpenedQueue, queueUrl } from './queue-attributes.ts';

type Options = { abortSignal: AbortSignal };

export class SqsQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication: boolean;
  readonly abortsReceives = false;
  readonly limits = SQS_LIMITS;
  readonly inspect: QueueInspection;
  readonly #client: SqsClient;
  /** Undefined after a request failed because the queue is missing: a re-created queue may have another URL. */
  #url: string | undefined;
  /** Undefined after it was emitted. */
  #warning: string | undefined;

  constructor(client: SqsClient, opened: OpenedQueue) {
    this.#client = client;
    this.#url = opened.url;
    this.inspect = inspection(client, opened.name, (request) => this.#atUrl(request));
    this.#warning = opened.warning;
    this.name = opened.name;
    this.fifo = opened.fifo;
    this.visibilityTimeout = opened.visibilityTimeout;
    this.contentBasedDeduplication = opened.contentBasedDeduplication;
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    this.#warn();
    const waitSeconds = Math.min(Math.max(Math.ceil(options.waitSeconds), 0), MAX_WAIT_SECONDS);
    const { visibilityTimeout } = options;
    const answer = await this.#leanRequest<ReceiveAnswer>(
      { action: 'ReceiveMessage', waitSeconds, signal: options.signal },
      {
        MaxNumberOfMessages: options.max,
        WaitTimeSeconds: waitSeconds,
        ...(visibilityTimeout !== undefined && { VisibilityTimeout: Math.ceil(visibilityTimeout) }),
        MessageSystemAttributeNames: SYSTEM_ATTRIBUTES,
        MessageAttributeNames: ['All'],
      },
    );
    return (answer.Messages ?? []).map(fromSqs);
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const Entries = messages.map((message, index) => toSqs(message, String(index)));
    try {
      const answer = await this.#leanRequest<BatchAnswer<SentEntry>>(
        { action: 'SendMessageBatch' },
        { Entries },
      );
      return resultsInOrder(messages.length, answer, sent);
    } catch (error) {
      const code = refusalCode(error);
      // SQS refuses the whole request if a message is too long.
      if (code === undefined || messages.length > 1) throw error;
      return [{ ok: false, code, message: (error as Error).message, retryable: false }];
    }
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    const Entries = receiptHandles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
    const answer = await this.#leanRequest<BatchAnswer<Entry>>({ action: 'DeleteMessageBatch' }, { Entries });
    return resultsInOrder(receiptHandles.length, answer, succeeded);
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    const Entries = changes.map(({ receiptHandle, seconds }, index) => ({
      Id: String(index),
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }));
    const answer = await this.#leanRequest<BatchAnswer<Entry>>(
      { action: 'ChangeMessageVisibilityBatch' },
      { Entries },
    );
    return resultsInOrder(changes.length, answer, succeeded);
  }

  async counts(): Promise<QueueCounts> {
    const { Attributes: attributes = {} } = await this.#leanRequest<GetQueueAttributesResult>(
      { action: 'GetQueueAttributes' },
      {
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      },
    );
    return {
      visible: Number(attributes.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    };
  }

  async purge(): Promise<void> {
    await this.#request('PurgeQueue', (sqs, QueueUrl, options) => sqs.purgeQueue({ QueueUrl }, options));
  }

  #warn(): void {
    if (this.#warning !== undefined) process.emitWarning(this.#warning);
    this.#warning = undefined;
  }

  #leanRequest<Answer>(about: Omit<LeanRequestAbout, 'queue'>, input: object): Promise<Answer> {
    return this.#atUrl(
      (QueueUrl) => this.#client.leanRequest<Answer>({ ...about, queue: this.name }, { QueueUrl, ...input }),
      about.signal,
    );
  }

  #request<Answer>(
    action: string,
    send: (sqs: SQS, url: string, options: Options) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#atUrl((url) =>
      this.#client.request({ action, queue: this.name }, (sqs, options) => send(sqs, url, options)),
    );
  }

  async #atUrl<Answer>(request: (url: string) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    this.#url ??= await queueUrl(this.#client, this.name, signal);
    try {
      return await request(this.#url);
    } catch (error) {
      if (error instanceof QueueNotFoundError) this.#url = undefined;
      throw error;
    }
  }
}

interface ReceiveAnswer {
  readonly Messages?: readonly ReceivedMessage[];
}

/** A successful entry of an answer. */
interface Entry {
  readonly Id: string;
}

interface SentEntry extends Entry {
  readonly MessageId?: string;
  readonly SequenceNumber?: string;
}

/** The answer to a batch request: entries have the Id that they were sent with, here their index. */
interface BatchAnswer<Success> {
  readonly Successful?: readonly Success[] | undefined;
  readonly Failed?: readonly BatchResultErrorEntry[] | undefined;
}

function resultsInOrder<Success extends Entry, Result>(
  length: number,
  { Successful = [], Failed = [] }: BatchAnswer<Success>,
  success: (entry: Success) => Result,
): (Result | EntryFailure)[] {
  const results = new Array<Result | EntryFailure>(length).fill(UNANSWERED);
  for (const entry of Successful) results[Number(entry.Id)] = success(entry);
  for (const entry of Failed) results[Number(entry.Id)] = entryFailure(entry);
  return results;
}

const UNANSWERED: EntryFailure = {
  ok: false,
  code: 'Unanswered',
  message: 'The answer from SQS has no result for this entry',
  retryable: true,
};

function sent({ MessageId = '', SequenceNumber }: SentEntry): SendResult {
  return {
    ok: true,
    messageId: MessageId,
    ...(SequenceNumber !== undefined && { sequenceNumber: SequenceNumber }),
  };
}

function succeeded(): EntryResult {
  return { ok: true };
}
