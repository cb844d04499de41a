/**
 * The rules by which SQS accepts and refuses requests, for brokers that must enforce them (the embedded ones): code that
 * works with them also works on SQS.
 */
import { createHash } from 'node:crypto';
import type {
  CreateOptions,
  EntryFailure,
  OutgoingMessage,
  Queue,
  ReceiveOptions,
  VisibilityChange,
} from '../broker.ts';
import { BrokerError } from '../errors.ts';
import { DEFAULT_VISIBILITY_TIMEOUT, MAX_ATTRIBUTES, MAX_VISIBILITY_TIMEOUT } from './limits.ts';
import { messageSize } from './messages.ts';
import { isFifoName, isQueueName } from './queue-name.ts';

/** How long deduplication ids are remembered, in milliseconds. */
export const DEDUPLICATION_MS = 5 * 60 * 1000;
/** The settings of a queue that is created without any. */
export const DEFAULT_SETTINGS = {
  visibilityTimeout: DEFAULT_VISIBILITY_TIMEOUT,
  delaySeconds: 0,
  contentBasedDeduplication: false,
};

/** Throws BrokerError for a name that SQS would not accept. */
function checkName(name: string): void {
  if (isQueueName(name)) return;
  throw rejected(
    `"${name}" is not a valid queue name: use 1 to 80 letters, digits, "-" and "_", and end the name of a FIFO queue with ".fifo".`,
  );
}

/** Throws BrokerError for settings that are out of range. */
export function checkCreate(name: string, options: CreateOptions, maxDelaySeconds: number): void {
  checkName(name);
  const { visibilityTimeout, delaySeconds, retentionSeconds, deadLetterQueue } = options;
  checkSetting(name, 'visibility timeout', visibilityTimeout, 0, MAX_VISIBILITY_TIMEOUT);
  checkSetting(name, 'delay', delaySeconds, 0, maxDelaySeconds);
  checkSetting(name, 'retention', retentionSeconds, 60, Number.MAX_SAFE_INTEGER);
  checkSetting(name, 'maximum receive count', deadLetterQueue?.maxReceives, 1, 1000);
  if (deadLetterQueue && isFifoName(deadLetterQueue.name) !== isFifoName(name)) {
    throw rejected(
      `The dead-letter queue "${deadLetterQueue.name}" does not match the queue "${name}": either both or neither must be FIFO queues.`,
    );
  }
}

function checkSetting(queue: string, setting: string, value: number | undefined, min: number, max: number) {
  if (value === undefined || isWhole(value, min, max)) return;
  throw rejected(
    `The ${setting} of the queue "${queue}" must be a whole number from ${min} to ${max}, not ${value}.`,
  );
}

/** Throws BrokerError for a receive with invalid options. */
export function checkReceive(
  { name, limits }: Pick<Queue, 'name' | 'limits'>,
  { max, waitSeconds, visibilityTimeout = 0 }: ReceiveOptions,
): void {
  if (!isWhole(max, 1, limits.maxBatch)) {
    throw rejected(
      `A receive from the queue "${name}" must ask for 1 to ${limits.maxBatch} messages, not ${max}.`,
    );
  }
  if (!(waitSeconds >= 0)) {
    throw rejected(`A receive from the queue "${name}" must wait 0 seconds or longer, not ${waitSeconds}.`);
  }
  if (!isWhole(visibilityTimeout, 0, MAX_VISIBILITY_TIMEOUT)) {
    throw rejected(
      `The visibility timeout of a receive from the queue "${name}" must be a whole number from 0 to ${MAX_VISIBILITY_TIMEOUT}, not ${visibilityTimeout}.`,
    );
  }
}

/** Throws BrokerError for a batch that is empty or has too many entries. */
export function checkBatch(
  { name, limits }: Pick<Queue, 'name' | 'limits'>,
  entries: readonly unknown[],
): void {
  if (entries.length >= 1 && entries.length <= limits.maxBatch) return;
  throw rejected(
    `A request to the queue "${name}" must have 1 to ${limits.maxBatch} entries, not ${entries.length}.`,
  );
}

/**
 * Checks each message of a request: its failure, or undefined if it is valid. Throws BrokerError if the valid messages
 * together are too large.
 */
export function refusals(
  queue: Pick<Queue, 'name' | 'fifo' | 'contentBasedDeduplication' | 'limits'>,
  messages: readonly OutgoingMessage[],
  maxDelaySeconds: number,
): (EntryFailure | undefined)[] {
  checkBatch(queue, messages);
  const { maxRequestBytes } = queue.limits;
  let bytesInAll = 0;
  const found = messages.map((message) => {
    const bytes = messageSize(message);
    const refusal = refusalOf(queue, message, bytes, maxDelaySeconds);
    if (!refusal) bytesInAll += bytes;
    return refusal;
  });
  if (bytesInAll > maxRequestBytes) {
    throw rejected(
      `A request to the queue "${queue.name}" has ${bytesInAll} bytes; the maximum is ${maxRequestBytes}. Send fewer messages at once.`,
    );
  }
  return found;
}

function refusalOf(
  queue: Pick<Queue, 'fifo' | 'contentBasedDeduplication' | 'limits'>,
  { body, attributes, delaySeconds = 0, groupId, deduplicationId }: OutgoingMessage,
  bytes: number,
  maxDelaySeconds: number,
): EntryFailure | undefined {
  const { maxMessageBytes } = queue.limits;
  if (bytes > maxMessageBytes) {
    return invalid(`The message has ${bytes} bytes; the maximum is ${maxMessageBytes}.`);
  }
  if (!body.isWellFormed()) {
    return failure('InvalidMessageContents', 'The body contains half of a surrogate pair.');
  }
  if (attributes && Object.keys(attributes).length > MAX_ATTRIBUTES) {
    return invalid(`A message can have at most ${MAX_ATTRIBUTES} attributes.`);
  }
  if (!isWhole(delaySeconds, 0, maxDelaySeconds)) {
    return invalid(
      `The delay must be a whole number of seconds from 0 to ${maxDelaySeconds}, not ${delaySeconds}.`,
    );
  }
  if (!queue.fifo) return undefined;
  if (delaySeconds > 0) return invalid('A FIFO queue does not accept a delay for a single message.');
  if (!groupId) return failure('MissingParameter', 'A message for a FIFO queue needs a message group.');
  if (!deduplicationId && !queue.contentBasedDeduplication) {
    return invalid(
      'A message for a FIFO queue needs a deduplication id, unless the queue has content-based deduplication.',
    );
  }
  return undefined;
}

/** The failure of an invalid visibility change; undefined if it is valid. */
export function changeRefusal({ seconds }: VisibilityChange): EntryFailure | undefined {
  if (isWhole(seconds, 0, MAX_VISIBILITY_TIMEOUT)) return undefined;
  return invalid(
    `The visibility timeout must be a whole number of seconds from 0 to ${MAX_VISIBILITY_TIMEOUT}, not ${seconds}.`,
  );
}

/**
 * Whether a receive may deliver a visible message, or the message is past its retention period, or it was received as many
 * times as its queue allows. `now` and `sentAt` are in milliseconds since the epoch; an omitted bound means no limit.
 */
export function standing(
  { sentAt, receiveCount }: { readonly sentAt: number; readonly receiveCount: number },
  {
    retentionSeconds = Number.POSITIVE_INFINITY,
    maxReceives = Number.POSITIVE_INFINITY,
  }: { readonly retentionSeconds?: number | undefined; readonly maxReceives?: number | undefined },
  now: number,
): 'receivable' | 'expired' | 'exhausted' {
  if (sentAt + retentionSeconds * 1000 <= now) return 'expired';
  return receiveCount >= maxReceives ? 'exhausted' : 'receivable';
}

/** The deduplication id of a message for a FIFO queue: its own, or else the SHA-256 of its body. */
export function deduplicationId(message: OutgoingMessage): string {
  return message.deduplicationId ?? createHash('sha256').update(message.body).digest('hex');
}

/** A sequence number in SQS's format: zero-padded, so that strings sort in numeric order. */
export function sequenceNumber(number: number): string {
  return String(number).padStart(20, '0');
}

export function failure(code: string, message: string): EntryFailure {
  return { ok: false, code, message, retryable: false };
}

function invalid(message: string): EntryFailure {
  return failure('InvalidParameterValue', message);
}

function rejected(message: string): BrokerError {
  return new BrokerError('rejected', message);
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}
