/**
 * Wraps a broker to report every request of the run loop and of producers: its action in the SQS API (also for other
 * brokers) and its size.
 */
import type { Broker, Message, OutgoingMessage, Queue } from '../../brokers/broker.ts';
import { messageSize } from '../../brokers/rules/messages.ts';

/** `bytes`: the size of the bodies and attributes in the request or response. */
export type OnRequest = (queue: string, action: string, bytes: number) => void;

/** The same broker, which calls `onRequest` for each request to its queues. */
export function countedBroker(broker: Broker, onRequest: OnRequest): Broker {
  return {
    description: broker.description,
    maxDelaySeconds: broker.maxDelaySeconds,
    makesQueues: broker.makesQueues,
    open: async (name) => countedQueue(await broker.open(name), onRequest),
    create: (name, options) => broker.create(name, options),
    remove: (name) => broker.remove(name),
    list: (prefix) => broker.list(prefix),
    close: () => broker.close(),
  };
}

function countedQueue(queue: Queue, onRequest: OnRequest): Queue {
  const { name, fifo, abortsReceives, limits, inspect } = queue;
  const count = (action: string, messages: readonly OutgoingMessage[] = []) => {
    let bytes = 0;
    for (const message of messages) bytes += messageSize(message);
    onRequest(name, action, bytes);
  };
  return {
    name,
    fifo,
    abortsReceives,
    limits,
    // Not counted, because workers hardly use it.
    inspect,
    get visibilityTimeout() {
      return queue.visibilityTimeout;
    },
    get contentBasedDeduplication() {
      return queue.contentBasedDeduplication;
    },
    /** Counted after the response, when its size is known. */
    async receive(options) {
      let messages: Message[] = [];
      try {
        messages = await queue.receive(options);
        return messages;
      } finally {
        count('ReceiveMessage', messages);
      }
    },
    send(messages) {
      count('SendMessageBatch', messages);
      return queue.send(messages);
    },
    delete(receiptHandles) {
      count('DeleteMessageBatch');
      return queue.delete(receiptHandles);
    },
    changeVisibility(changes) {
      count('ChangeMessageVisibilityBatch');
      return queue.changeVisibility(changes);
    },
    counts() {
      count('GetQueueAttributes');
      return queue.counts();
    },
    purge() {
      count('PurgeQueue');
      return queue.purge();
    },
  };
}
