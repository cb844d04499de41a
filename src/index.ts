/** The public API of `sqs-containers`: the producer, tasks, and everything needed to write a worker. */
export type { Message, MessageAttribute, MessageAttributes } from './brokers/broker.ts';
export { BrokerError, type BrokerErrorKind, QueueNotFoundError } from './brokers/errors.ts';
export { MalformedMessageError, UnserializableArgumentError } from './message/call.ts';
export {
  base64Codec,
  type Codec,
  callCodec,
  jsonCodec,
  type ReferenceOptions,
  referenceCodec,
  registerCodec,
  textCodec,
  UnsupportedContentTypeError,
} from './message/codecs.ts';
export { closeProducers } from './producer/connections.ts';
export { type Producer, type QueueOptions, queue, type SendOptions } from './producer/producer.ts';
export { BatchError, SendError, type Sent } from './producer/send-results.ts';
export { createQueue } from './queues/open-queue.ts';
export { redrive } from './queues/redrive.ts';
export { currentContext, runWithContext, type TaskContext } from './tasks/context.ts';
export type { BatchFailures, BatchHandler, GatherOptions } from './tasks/gather.ts';
export { UnknownTaskError } from './tasks/registry.ts';
export { Retry } from './tasks/retry.ts';
export { TaskInputError } from './tasks/schema.ts';
export type { BakedTask, DelayOptions, Task } from './tasks/task.ts';
export type {
  BatchTaskOptions,
  Invocation,
  Middleware,
  RawTaskOptions,
  TaskOptions,
  TaskQueueOptions,
} from './tasks/task-options.ts';
export { configureTasks, type TaskDefaults } from './tasks/task-options.ts';
export { type TaskQueue, taskQueue } from './tasks/task-queue.ts';
export {
  type Backoff,
  type BackoffOptions,
  constantBackoff,
  exponentialBackoff,
  noBackoff,
} from './worker/backoff.ts';
export { type CurrentMessage, currentMessage } from './worker/current-message.ts';
export { TransientError, type TransientErrorOptions } from './worker/errors.ts';
export type { WorkerConfig, WorkerFactory, WorkerFunction, WorkerObject } from './worker/worker.ts';
