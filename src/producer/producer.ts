/**
 * The producer: `queue(name)` gives a function that sends its arguments as a call to the queue's workers (zc.sqs).
 *
 *     const adder = queue<[number, number]>('adder');
 *     await adder(1, 2);                                        // { messageId, body: '[[1,2],{}]' }
 *     await adder.with({ delaySeconds: 5 })(1, 2);
 *     await adder.batch([[1, 2], [3, 4]]);                      // ten to a request
 */
import type { MessageAttributes } from '../brokers/broker.ts';
import { encodeCall } from '../message/call.ts';
import { allSent, type Sent } from './send-results.ts';
import { LazySender } from './sender.ts';

export interface QueueOptions {
  /**
   * The broker's address, such as `sqlite:queues.db`. Default: the environment's SQS_CONTAINERS_BROKER, else that of the
   * container which runs in this process, else `sqs`.
   */
  readonly broker?: string;
}

export interface SendOptions {
  /** Seconds before the message can be received; parts of a second are rounded up. Default: the queue's delay. */
  readonly delaySeconds?: number;
  /** The message group. Default on FIFO queues: `default`. */
  readonly groupId?: string;
  /** FIFO: a second message with this id within five minutes is dropped. Default: no two messages are the same. */
  readonly deduplicationId?: string;
  readonly attributes?: MessageAttributes;
}

/** Sends calls to a queue. A non-empty plain object in last place becomes the keyword arguments. */
export interface Producer<Args extends readonly unknown[]> {
  /**
   * Sends one call; resolves when the broker has it. Throws UnserializableArgumentError before anything is sent,
   * SendError if the broker refuses the message, QueueNotFoundError and BrokerError.
   */
  (...args: Args): Promise<Sent>;
  /** Sends a call for each entry; results in the same order. Throws BatchError if some were not sent. */
  batch(calls: readonly Args[]): Promise<Sent[]>;
  /** The same producer with these options for each call. */
  with(options: SendOptions): Producer<Args>;
  readonly queueName: string;
}

/**
 * A producer for the queue `name`, which must exist. Nothing is opened before the first call. A prefix (the
 * environment's SQS_CONTAINERS_QUEUE_PREFIX, else that of the container in this process) is put before the name.
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
