/**
 * The contract between the containers and the brokers that store the queues.
 *
 * It follows the semantics of Amazon SQS (developer guide, "How Amazon SQS works"), in batches: a received message stays
 * invisible for a visibility timeout, is deleted or made visible again by its receipt handle, and counts how many times it
 * was received. The specs in `src/contract/` define each operation precisely; every broker must pass them.
 */

/** A typed attribute of a message, as in SQS: `dataType` is String, Number or Binary, with an optional `.suffix`. */
export interface MessageAttribute {
  readonly dataType: string;
  /** The value of a String or Number attribute. */
  readonly stringValue?: string;
  /** The value of a Binary attribute. */
  readonly binaryValue?: Uint8Array;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** A received message: in flight until its visibility timeout ends or it is deleted. */
export interface Message {
  readonly id: string;
  readonly body: string;
  /** Identifies this delivery. A later delivery of the same message has a different handle. */
  readonly receiptHandle: string;
  /** How many times the message has been received, including this time: 1 at first. */
  readonly receiveCount: number;
  readonly attributes: MessageAttributes;
  /** When the message was sent, in milliseconds since the epoch. */
  readonly sentAt: number;
  /** The message group: FIFO queues keep the order within it; standard queues use it for fair sharing. */
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** FIFO only: increases with each message in a group. */
  readonly sequenceNumber?: string;
}

/** A message as shown by a peek; `receiveCount` is how many times it has been received so far: 0 at first. */
export type PeekedMessage = Omit<Message, 'receiptHandle'>;

/** A message to send. */
export interface OutgoingMessage {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  /** Seconds before the message can be received; default: the queue's delay. */
  readonly delaySeconds?: number;
  /** Required on FIFO queues. */
  readonly groupId?: string;
  /** FIFO: a second message with the same id within five minutes is accepted and dropped. */
  readonly deduplicationId?: string;
}

/** Why one entry of a batch failed. */
export interface EntryFailure {
  readonly ok: false;
  /** The broker's error code, such as `ReceiptHandleIsInvalid`. */
  readonly code: string;
  readonly message: string;
  /** True if the same entry may succeed later; false if it never will. */
  readonly retryable: boolean;
}

export type EntryResult = { readonly ok: true } | EntryFailure;

export type SendResult =
  | { readonly ok: true; readonly messageId: string; readonly sequenceNumber?: string }
  | EntryFailure;

export interface ReceiveOptions {
  /** The maximum number of messages to return, 1 to the queue's `limits.maxBatch`. The broker may return fewer. */
  readonly max: number;
  /** How long to wait for a first message, in seconds (long poll). SQS accepts whole seconds, 0 to 20. */
  readonly waitSeconds: number;
  /** How long the messages stay invisible, in seconds; default: the queue's visibility timeout. */
  readonly visibilityTimeout?: number;
  /** Ends the wait early. The promise then resolves with no messages, or rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface VisibilityChange {
  readonly receiptHandle: string;
  /** Whole seconds from now, 0 to 43,200. With 0 the message is visible again immediately. */
  readonly seconds: number;
}

/** Approximate message counts, as in SQS. */
export interface QueueCounts {
  /** Ready to be received. */
  readonly visible: number;
  /** Received, and neither deleted nor visible again yet. */
  readonly inFlight: number;
  /** Sent with a delay that has not ended yet. */
  readonly delayed: number;
}

/** The queue that gets messages that were received `maxReceives` times and not deleted. */
export interface DeadLetterTarget {
  /** The name of an existing queue. */
  readonly name: string;
  readonly maxReceives: number;
}

/** Settings for creating a queue; the defaults are those of SQS. */
export interface CreateOptions {
  /** Seconds a received message stays invisible, 0 to 43,200. Default 30. */
  readonly visibilityTimeout?: number;
  /** Seconds before a sent message can be received, 0 to 900. Default 0. */
  readonly delaySeconds?: number;
  /** Seconds before an undeleted message is dropped. Default: 4 days on SQS; other brokers keep it forever. */
  readonly retentionSeconds?: number;
  readonly deadLetterQueue?: DeadLetterTarget;
  /** FIFO: use the SHA-256 of the body as the deduplication id of messages that have none. Default false. */
  readonly contentBasedDeduplication?: boolean;
}

/** The progress of a broker's move task. */
export interface MoveProgress {
  readonly moved: number;
  /** How many messages there are to move in total, if known. */
  readonly total?: number;
  /** False while the task is running. */
  readonly isOver: boolean;
  /** True if the task was canceled before it moved all messages. */
  readonly isCancelled: boolean;
}

/** A move of all messages that the broker performs itself (SQS: a message move task). */
export interface MoveTask {
  /** Throws a BrokerError if the move has failed. */
  progress(): Promise<MoveProgress>;
  /** Stops the task early: messages that were not moved yet stay. */
  cancel(): Promise<void>;
}

/**
 * The limits of one request to a queue; sizes count bodies and attributes together. For SQS they are `SQS_LIMITS`
 * (rules/limits.ts). They belong to the queue because a broker's standard queues may accept more than its FIFO queues,
 * which handle ten messages at a time.
 */
export interface RequestLimits {
  /** The maximum number of entries in a send, delete or visibility change, and of messages in a receive. SQS: 10. */
  readonly maxBatch: number;
  /** The most bytes that a receive returns, unless its first message alone is larger. SQS: 10 MiB, ten full messages. */
  readonly maxReceiveBytes: number;
  /** The maximum size of a send, in bytes. SQS: 1 MiB. */
  readonly maxRequestBytes: number;
  /** The maximum size of a message, in bytes. SQS: 1 MiB. */
  readonly maxMessageBytes: number;
}

/**
 * Operations that only commands and the status page use. A broker omits those it does not support; all of them throw
 * QueueNotFoundError if the queue was removed. Wrappers pass this object on unchanged.
 */
export interface QueueInspection {
  /**
   * Returns up to `max` (1 or more) visible messages, in the order in which they will be received, without changing anything.
   * On FIFO queues this includes messages that wait behind others in their group. Omit it if only a receive can read messages.
   */
  peek?(max: number): Promise<PeekedMessage[]>;
  /**
   * When the oldest message was sent, in milliseconds since the epoch; undefined for an empty queue. May be approximate for
   * queues with many messages.
   */
  oldest?(): Promise<number | undefined>;
  /** The dead-letter queue of this queue; undefined if it has none. */
  deadLetterQueue?(): Promise<DeadLetterTarget | undefined>;
  /** The names of the queues that use this queue as their dead-letter queue. */
  deadLetterSources?(): Promise<string[]>;
  /**
   * Starts a task in which the broker moves all messages from this dead-letter queue to the queue `target`, or each to the
   * queue it came from. Resolves with undefined if the broker cannot do that for this queue: the caller then receives, sends
   * and deletes the messages one by one.
   */
  startMove?(target?: string): Promise<MoveTask | undefined>;
}

/** An open queue. All times are by the broker's clock. */
export interface Queue {
  readonly name: string;
  /** True if the queue keeps the order within message groups (its name ends in `.fifo`). */
  readonly fifo: boolean;
  /** The queue's default visibility timeout in seconds. */
  readonly visibilityTimeout: number;
  /** FIFO: whether the queue derives missing deduplication ids from message bodies. */
  readonly contentBasedDeduplication: boolean;
  /**
   * True if a receive never takes messages after its signal is aborted. False for SQS: the server may not notice immediately
   * that the client has hung up.
   */
  readonly abortsReceives: boolean;
  /** The limits of one request. */
  readonly limits: RequestLimits;
  /** Operations for commands. Omit it if the broker supports none of them. */
  readonly inspect?: QueueInspection | undefined;
  /** Resolves with at least one message as soon as one is available, or with none after `waitSeconds`. */
  receive(options: ReceiveOptions): Promise<Message[]>;
  /**
   * Sends 1 to `limits.maxBatch` messages in one request, with at most `limits.maxRequestBytes` in total. Resolves with a
   * result for each, in order.
   */
  send(messages: readonly OutgoingMessage[]): Promise<SendResult[]>;
  /**
   * Deletes 1 to `limits.maxBatch` messages by receipt handle. Resolves with a result for each, in order. Deleting a
   * message twice is not an error.
   */
  delete(receiptHandles: readonly string[]): Promise<EntryResult[]>;
  /** Sets when 1 to `limits.maxBatch` messages become visible again. Resolves with a result for each, in order. */
  changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]>;
  counts(): Promise<QueueCounts>;
  /** Deletes all messages, including those in flight. */
  purge(): Promise<void>;
}

/** A service or file that stores queues. Failures are BrokerErrors (`errors.ts`). */
export interface Broker {
  /** For log and error messages: `SQS in region eu-west-1`, `sqlite:/var/lib/worker/queues.db`. */
  readonly description: string;
  /** The maximum delay in seconds; longer ones are refused. SQS: 900. */
  readonly maxDelaySeconds: number;
  /** True if `open` creates missing queues: all brokers except SQS. */
  readonly makesQueues: boolean;
  /** Opens a queue. Throws QueueNotFoundError if it does not exist and the broker does not create it. */
  open(name: string): Promise<Queue>;
  /** Creates a queue, or updates the settings of an existing one. Names that end in `.fifo` create FIFO queues. */
  create(name: string, options?: CreateOptions): Promise<void>;
  /** Removes a queue and its messages. Does nothing if it does not exist. */
  remove(name: string): Promise<void>;
  /** The names of the queues that start with `prefix`. Never creates a queue. */
  list(prefix?: string): Promise<string[]>;
  /** Closes connections and clears timers. Do not call anything afterwards. */
  close(): Promise<void>;
}
