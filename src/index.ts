/** What people import from `sqs-containers`: the producer, and what a worker is written with. */
export type { Message, MessageAttribute, MessageAttributes } from './brokers/broker.ts';
export { BrokerError, type BrokerErrorKind, QueueNotFoundError } from './brokers/errors.ts';
export { MalformedMessageError, UnserializableArgumentError } from './message/call.ts';
export { closeProducers } from './producer/connections.ts';
export { BatchError, SendError } from './producer/errors.ts';
export { type Producer, type QueueOptions, queue, type SendOptions, type Sent } from './producer/queue.ts';
export { type CurrentMessage, currentMessage } from './worker/current-message.ts';
export { TransientError, type TransientErrorOptions } from './worker/errors.ts';
export type { WorkerConfig, WorkerFactory, WorkerFunction, WorkerObject } from './worker/worker.ts';
