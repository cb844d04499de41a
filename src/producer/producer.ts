/**
 * The producer: `queue(name)` returns a function that sends its arguments as a call to the queue's workers (zc.sqs).
 *
 *     const adder = queue<[number, number]>('adder');
 *     await adder(1, 2);                                        // { messageId, body: '[[1,2],{}]' }
 *     await adder.with({ delaySeconds: 5 })(1, 2);
 *     await adder.batch([[1, 2], [3, 4]]);                      // ten per request
 */
import type { MessageAttributes } from '../brokers/broker.ts';
import { encodeCall } from '../message/call.ts';
import { allSent, type Sent } from './send-results.ts';
import { LazySender } from './sender.ts';

export interface QueueOptions {
  /**
   * The broker's address, such as `sqlite:queues.db`. Default: SQS_CONTAINERS_BROKER in the environment, else the
   * broker of the container that runs in this process, else `sqs`.
   */
  readonly broker?: string;
}

export interface SendOptions {
  /** Seconds before the message can be received; fractions are rounded up. Default: the queue's delay. */
  readonly delaySeconds?: number;
  /** The message group. Default on FIFO queues: `default`. */
  readonly groupId?: string;
  /** FIFO: a second message with this id within five minutes is dropped. Default: a unique id for each message. */
  readonly deduplicationId?: string;
  readonly attributes?: MessageAttributes;
}

/** Sends calls to a queue. If the last argument is a non-empty plain object, it becomes the keyword arguments. */
export interface Producer<Args extends readonly unknown[]> {
  /**
   * Sends one call; resolves when the broker has it. Throws UnserializableArgumentError before anything is sent,
   * SendError if the broker refuses the message, QueueNotFoundError and BrokerError.
   */
  (...args: Args): Promise<Sent>;
  /** Sends a call for each entry; returns results in the same order. Throws BatchError if some were not sent. */
  batch(calls: readonly Args[]): Promise<Sent[]>;
  /** Returns the same producer with these options for every call. */
  with(options: SendOptions): Producer<Args>;
  readonly queueName: string;
}

/**
 * A producer for the queue `name`, which must exist. Opens nothing until the first call. Adds a prefix to the name:
 * SQS_CONTAINERS_QUEUE_PREFIX in the environment, else that of the container in this process.
 */
export function queue<Args extends readonly unknown[] = readonly unknown[]>(
  name: string,
  options: QueueOptions = {},
): Producer<Args> {
  return makeProducer<Args>(name, new LazySender(name, options.broker), {});
}

function makeProducer<Args extends readonly unknown[]>(
  name: string,
  sender: LazySender,
  options: SendOptions,
): Producer<Args> {
  const send = async (...args: Args): Promise<Sent> => {
    const body = encodeCall(args);
    return { ...(await sender.send({ ...options, body })), body };
  };
  const batch = async (calls: readonly Args[]) =>
    allSent(
      name,
      calls.map((args) => send(...args)),
    );
  return Object.assign(send, {
    batch,
    with: (more: SendOptions) => makeProducer<Args>(name, sender, { ...options, ...more }),
    queueName: name,
  });
}
