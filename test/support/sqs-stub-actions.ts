/**
 * The SQS actions on the stub's queues, with the inputs and outputs of the AWS JSON 1.0 protocol. A request that SQS would
 * refuse throws a Refusal.
 */
import type { StubMessage, StubQueue } from './sqs-stub-queue.ts';

/** The request fields that the stub reads, for all actions. */
export interface Input {
  readonly QueueName?: string;
  readonly QueueNamePrefix?: string;
  readonly QueueUrl?: string;
  readonly MaxNumberOfMessages?: number;
  readonly MaxResults?: number;
  readonly NextToken?: string;
  readonly WaitTimeSeconds?: number;
  readonly VisibilityTimeout?: number;
  readonly Entries?: readonly Entry[];
}

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageAttributes?: unknown;
  readonly MessageGroupId?: string;
  readonly DelaySeconds?: number;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

/** The entries of a batch that should fail, by index. */
export interface FailingEntries {
  readonly entries: readonly number[];
  readonly code: string;
  readonly senderFault: boolean;
}

/** An error response. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Created by `StubQueue`. */
const RECEIPT_HANDLE = /^[0-9a-f-]{36}:\d+$/;

/** A host that does not resolve, so that requests to a queue's URL instead of the endpoint fail. */
const QUEUE_URLS = 'http://sqs.stub.invalid/000000000000/';

/** Carries out an action and responds now or, for a long poll, later. Returns a function that cancels the long poll. */
export function carryOut(
  queues: ReadonlyMap<string, StubQueue>,
  action: string,
  input: Input,
  failing: FailingEntries | undefined,
  answer: (answer: object) => void,
): () => void {
  if (action === 'ReceiveMessage') {
    const queue = find(queues, input);
    const receive = {
      max: input.MaxNumberOfMessages ?? 1,
      waitSeconds: input.WaitTimeSeconds ?? 0,
      visibilityTimeout: input.VisibilityTimeout ?? queue.visibilityTimeout,
    };
    return queue.receive(receive, (messages) => answer({ Messages: messages.map(received) }));
  }
  answer(answerNow(queues, action, input, failing));
  return () => {};
}

function answerNow(
  queues: ReadonlyMap<string, StubQueue>,
  action: string,
  input: Input,
  failing: FailingEntries | undefined,
): object {
  switch (action) {
    case 'ListQueues':
      return list([...queues.keys()].sort(), input);
    case 'GetQueueUrl':
      return { QueueUrl: QUEUE_URLS + find(queues, input).name };
    case 'GetQueueAttributes':
      return { Attributes: attributes(find(queues, input)) };
    case 'SendMessage':
    case 'DeleteMessage':
    case 'ChangeMessageVisibility':
      return single(find(queues, input), action, input as Entry);
    case 'SendMessageBatch':
    case 'DeleteMessageBatch':
    case 'ChangeMessageVisibilityBatch':
      return batch(find(queues, input), action, input.Entries ?? [], failing);
    default:
      throw new Refusal(400, 'InvalidAction', `The stub does not know ${action}.`);
  }
}

function find(queues: ReadonlyMap<string, StubQueue>, input: Input): StubQueue {
  const queue = queues.get(input.QueueName ?? input.QueueUrl?.split('/').at(-1) ?? '');
  if (!queue) {
    throw new Refusal(400, 'com.amazonaws.sqs#QueueDoesNotExist', 'The specified queue does not exist.');
  }
  return queue;
}

function received(message: StubMessage): object {
  return {
    MessageId: message.id,
    ReceiptHandle: message.receiptHandle,
    Body: message.body,
    MD5OfBody: message.bodyMd5,
    MessageAttributes: message.attributes,
    Attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentAt),
      MessageGroupId: message.groupId,
    },
  };
}

function attributes(queue: StubQueue): object {
  const { visible, inFlight, delayed } = queue.counts;
  return {
    QueueArn: `arn:aws:sqs:us-east-1:000000000000:${queue.name}`,
    VisibilityTimeout: String(queue.visibilityTimeout),
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
  };
}

function list(
  names: readonly string[],
  { QueueNamePrefix = '', MaxResults = 1000, NextToken = '0' }: Input,
): object {
  const matching = names.filter((name) => name.startsWith(QueueNamePrefix));
  const end = Number(NextToken) + MaxResults;
  return {
    QueueUrls: matching.slice(Number(NextToken), end).map((name) => QUEUE_URLS + name),
    ...(end < matching.length ? { NextToken: String(end) } : {}),
  };
}

/** Carries out SendMessage, DeleteMessage or ChangeMessageVisibility, or an entry of their batches. */
function single(queue: StubQueue, action: string, entry: Entry): object {
  if (action.startsWith('SendMessage')) {
    const message = queue.send(entry.MessageBody, {
      attributes: entry.MessageAttributes,
      ...(entry.MessageGroupId !== undefined && { groupId: entry.MessageGroupId }),
      ...(entry.DelaySeconds !== undefined && { delaySeconds: entry.DelaySeconds }),
    });
    return { MessageId: message.id, MD5OfMessageBody: message.bodyMd5 };
  }
  if (!RECEIPT_HANDLE.test(entry.ReceiptHandle)) throw new Refusal(400, 'ReceiptHandleIsInvalid');
  if (action.startsWith('DeleteMessage')) queue.delete(entry.ReceiptHandle);
  else if (!queue.changeVisibility(entry.ReceiptHandle, entry.VisibilityTimeout)) {
    throw new Refusal(400, 'MessageNotInflight');
  }
  return {};
}

function batch(
  queue: StubQueue,
  action: string,
  entries: readonly Entry[],
  failing: FailingEntries | undefined,
): object {
  const Successful: object[] = [];
  const Failed: object[] = [];
  entries.forEach((entry, index) => {
    try {
      if (failing?.entries.includes(index)) throw new Refusal(400, failing.code);
      Successful.push({ Id: entry.Id, ...single(queue, action, entry) });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const SenderFault = failing?.senderFault ?? true;
      Failed.push({ Id: entry.Id, Code: error.code, SenderFault, Message: error.message });
    }
  });
  return { Successful, Failed };
}
