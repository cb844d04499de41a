/**
 * The contract between the containers and whatever keeps the queues.
 *
 * It has the semantics of Amazon SQS (developer guide, "How Amazon SQS works"), in batches: a received
 * message stays invisible for a visibility timeout, is deleted or made visible again by its receipt
 * handle, and counts how often it was received. `src/contract/` says in specs what each operation
 * owes; every broker runs it.
 */

/** A typed attribute beside the body, as in SQS: `dataType` is String, Number or Binary, with an optional `.suffix`. */
export interface MessageAttribute {
  readonly dataType: string;
  /** The value of a String or Number attribute. */
  readonly stringValue?: string;
  /** The value of a Binary attribute. */
  readonly binaryValue?: Uint8Array;
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>;

/** A message as received: in flight until its visibility timeout ends, or until it is deleted. */
export interface Message {
  readonly id: string;
  readonly body: string;
  /** Names this one delivery. A later delivery of the same message has another handle. */
  readonly receiptHandle: string;
  /** How often the message was received, this time included: 1 at first. */
  readonly receiveCount: number;
  readonly attributes: MessageAttributes;
  /** When it was sent: milliseconds since the epoch. */
  readonly sentAt: number;
  /** The message group: order within it is kept on FIFO queues; fair sharing on standard ones. */
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** FIFO only: grows with each message of a group. */
  readonly sequenceNumber?: string;
}

/** A message as somebody sees it who only looks; `receiveCount` is how often it was received until now: 0 at first. */
export type PeekedMessage = Omit<Message, 'receiptHandle'>;

/** A message to send. */
export interface OutgoingMessage {
  readonly body: string;
  readonly attributes?: MessageAttributes;
  /** Seconds before the message can be received; default: the queue's delay. */
  readonly delaySeconds?: number;
  /** Needed on FIFO queues. */
  readonly groupId?: string;
  /** FIFO: a second message with the same id within five minutes is accepted and dropped. */
  readonly deduplicationId?: string;
}

/** What became of one entry of a batch that did not work. */
export interface EntryFailure {
  readonly ok: false;
  /** The broker's own code, such as `ReceiptHandleIsInvalid`. */
  readonly code: string;
  readonly message: string;
  /** True if the same entry may work later; false if it never will. */
  readonly retryable: boolean;
}

export type EntryResult = { readonly ok: true } | EntryFailure;

export type SendResult =
  | { readonly ok: true; readonly messageId: string; readonly sequenceNumber?: string }
  | EntryFailure;

export interface ReceiveOptions {
  /** The most messages to return, 1 to the queue's `limits.maxBatch`. Fewer may come. */
  readonly max: number;
  /** How long to wait for a first message, in seconds (long poll). SQS takes whole seconds, 0 to 20. */
  readonly waitSeconds: number;
  /** How long the messages stay invisible, in seconds; default: the queue's visibility timeout. */
  readonly visibilityTimeout?: number;
  /** Ends the wait early. The promise then resolves with no messages, or rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface VisibilityChange {
  readonly receiptHandle: string;
  /** Seconds from now, whole, 0 to 43,200. 0 gives the message back at once. */
  readonly seconds: number;
}

/** Approximate numbers, as SQS gives them. */
export interface QueueCounts {
  /** Ready to be received. */
  readonly visible: number;
  /** Received, neither deleted nor visible again yet. */
  readonly inFlight: number;
  /** Sent, waiting for their delay to end. */
  readonly delayed: number;
}

/** Where a message goes that was received `maxReceives` times and not deleted. */
export interface DeadLetterTarget {
  /** The name of an existing queue. */
  readonly name: string;
  readonly maxReceives: number;
}

/** What to make a queue with; the defaults are SQS's. */
export interface CreateOptions {
  /** Seconds a received message stays invisible, 0 to 43,200. Default 30. */
  readonly visibilityTimeout?: number;
  /** Seconds before a sent message can be received, 0 to 900. Default 0. */
  readonly delaySeconds?: number;
  /** Seconds an unhandled message is kept. Default: SQS's 4 days; the other brokers keep it for ever. */
  readonly retentionSeconds?: number;
  readonly deadLetterQueue?: DeadLetterTarget;
  /** FIFO: the deduplication id is the SHA-256 of the body unless one is given. Default false. */
  readonly contentBasedDeduplication?: boolean;
}

/** How far a move task of the broker has come. */
export interface MoveProgress {
  readonly moved: number;
  /** How many there were to move, where that is known. */
  readonly total?: number;
  /** False while it goes on. */
  readonly isOver: boolean;
  /** True if it was ended before all were moved. */
  readonly isCancelled: boolean;
}

/** A move of all messages that the broker does by itself (SQS: a message move task). */
export interface MoveTask {
  /** Throws a BrokerError if the move has failed. */
  progress(): Promise<MoveProgress>;
  /** Ends it early: what was not moved yet stays. */
  cancel(): Promise<void>;
}

/**
 * What one request to a queue may carry; bytes are those of bodies and attributes together. SQS's values are `SQS_LIMITS`
 * (rules/limits.ts). They belong to the queue because a broker whose standard queues take more still has FIFO queues that
 * take ten messages at a time.
 */
export interface RequestLimits {
  /** The most entries of a send, a delete or a change of visibility, and the most messages of a receive. SQS: 10. */
  readonly maxBatch: number;
  /** The most bytes that a receive returns, unless its first message alone has more. SQS: 10 MiB, ten full messages. */
  readonly maxReceiveBytes: number;
  /** The most bytes of a send. SQS: 1 MiB. */
  readonly maxRequestBytes: number;
  /** The most bytes of a message. SQS: 1 MiB. */
  readonly maxMessageBytes: number;
}

/**
 * What only commands and the status page ask of a queue. Each member is left out where the broker cannot do it; all of them
 * throw a QueueNotFoundError if the queue was removed. A wrapper passes the whole on as it is.
 */
export interface QueueInspection {
  /**
   * Shows up to `max` (1 or more) visible messages, in the order in which they will be received, and changes nothing. On FIFO
   * queues this includes messages that wait behind others of their group. Left out where only a receive shows a message.
   */
  peek?(max: number): Promise<PeekedMessage[]>;
  /**
   * When the oldest message was sent, in milliseconds since the epoch; undefined for an empty queue. May be approximate where
   * there are many messages.
   */
  oldest?(): Promise<number | undefined>;
  /** Where messages go that are received too often; undefined if they stay. */
  deadLetterQueue?(): Promise<DeadLetterTarget | undefined>;
  /** The names of the queues whose dead-letter queue this one is. */
  deadLetterSources?(): Promise<string[]>;
  /**
   * Has the broker move all messages of this dead-letter queue to the queue `target`, or each back to the queue it came from.
   * Resolves with undefined if it cannot do that for this queue: the messages are then received, sent and deleted one by one.
   */
  startMove?(target?: string): Promise<MoveTask | undefined>;
}

/** One queue, opened. All times are the broker's own clock. */
export interface Queue {
  readonly name: string;
  /** True for a queue that keeps the order within message groups (its name ends in `.fifo`). */
  readonly fifo: boolean;
  /** The queue's own visibility timeout in seconds. */
  readonly visibilityTimeout: number;
  /** FIFO: whether the queue takes the deduplication id from the body when none is given. */
  readonly contentBasedDeduplication: boolean;
  /**
   * True if a receive whose signal is aborted takes no message any more. On SQS one may: the server does not notice at
   * once that nobody waits for its answer.
   */
  readonly abortsReceives: boolean;
  /** What one request may carry. */
  readonly limits: RequestLimits;
  /** What commands ask for. Left out by a broker that knows none of it. */
  readonly inspect?: QueueInspection | undefined;
  /** Resolves with at least one message as soon as there is one, or with none after `waitSeconds`. */
  receive(options: ReceiveOptions): Promise<Message[]>;
  /** Sends 1 to `limits.maxBatch` messages in one request, `limits.maxRequestBytes` in all; a result for each, in order. */
  send(messages: readonly OutgoingMessage[]): Promise<SendResult[]>;
  /** Deletes 1 to `limits.maxBatch` messages by receipt handle; a result for each, in order. Deleting twice is no error. */
  delete(receiptHandles: readonly string[]): Promise<EntryResult[]>;
  /** Sets when 1 to `limits.maxBatch` messages become visible again; a result for each, in order. */
  changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]>;
  counts(): Promise<QueueCounts>;
  /** Deletes every message, in flight ones too. */
  purge(): Promise<void>;
}

/** A place where queues live. Failures are BrokerErrors (`errors.ts`). */
export interface Broker {
  /** For people: `SQS in region eu-west-1`, `sqlite:/var/lib/worker/queues.db`. */
  readonly description: string;
  /** Seconds; a longer delay is refused. SQS: 900. */
  readonly maxDelaySeconds: number;
  /** True for brokers whose `open` makes a queue that does not exist: all but SQS. */
  readonly makesQueues: boolean;
  /** Opens a queue. Throws QueueNotFoundError if it does not exist, unless the broker makes it. */
  open(name: string): Promise<Queue>;
  /** Makes a queue; one that exists with other settings gets these. Names that end in `.fifo` make FIFO queues. */
  create(name: string, options?: CreateOptions): Promise<void>;
  /** Removes a queue with its messages. A queue that does not exist is no error. */
  remove(name: string): Promise<void>;
  /** The names of the queues whose name starts with `prefix`. Never makes one. */
  list(prefix?: string): Promise<string[]>;
  /** Releases connections and timers. Nothing may be called afterwards. */
  close(): Promise<void>;
}
