/**
 * A broker that tells of each request of the run loop and of producers: which action of the SQS API it is (others have the
 * same ones), and what it carried.
 */
import type { Broker, Message, OutgoingMessage, Queue } from '../../brokers/broker.ts';
import { messageSize } from '../../brokers/rules/messages.ts';

/** `bytes`: what the request carried, of bodies and attributes. */
export type OnRequest = (queue: string, action: string, bytes: number) => void;

/** The same broker, but that `onRequest` is told of what its queues are asked. */
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
    // Not counted: a worker hardly asks for it.
    inspect,
    get visibilityTimeout() {
      return queue.visibilityTimeout;
    },
    get contentBasedDeduplication() {
      return queue.contentBasedDeduplication;
    },
    /** Counted when it has come back: only then is it known what it carried. */
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
