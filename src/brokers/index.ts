/**
 * The exports of `sqs-containers/broker`, for writing a custom broker: the contract's types, the errors, and the rules of
 * SQS, so that code that works with the custom broker also works on SQS.
 */
export type {
  Broker,
  CreateOptions,
  DeadLetterTarget,
  EntryFailure,
  EntryResult,
  Message,
  MessageAttribute,
  MessageAttributes,
  MoveProgress,
  MoveTask,
  OutgoingMessage,
  PeekedMessage,
  Queue,
  QueueCounts,
  QueueInspection,
  ReceiveOptions,
  RequestLimits,
  SendResult,
  VisibilityChange,
} from './broker.ts';
export type { BrokerFactory, BrokerOptions } from './custom.ts';
export { BrokerError, type BrokerErrorKind, QueueNotFoundError } from './errors.ts';
export { MAX_REQUEST_BYTES, SQS_LIMITS } from './rules/limits.ts';
export { changeResult, deleteResult, type HeldMessage } from './rules/receipt-handle.ts';
export {
  checkBatch,
  checkCreate,
  checkReceive,
  DEDUPLICATION_MS,
  DEFAULT_SETTINGS,
  deduplicationId,
  refusals,
  sequenceNumber,
  standing,
} from './rules/sqs-rules.ts';
