/** Runs sqs-consumer as documented. */
import { Consumer } from 'sqs-consumer';

type Options = Parameters<typeof Consumer.create>[0];

/** How long messages in progress can take after a stop, in milliseconds. */
const STOP_MS = 20_000;

/** Starts it. The returned function stops it and resolves when its messages are handled and deleted. */
export function startSqsConsumer(options: Options, onError: (error: Error) => void): () => Promise<void> {
  // Without pollingCompleteWaitTimeMs, it reports that it has stopped while its deletes are still in flight.
  const consumer = Consumer.create({ pollingCompleteWaitTimeMs: STOP_MS, ...options });
  consumer.on('error', onError).on('processing_error', onError).on('timeout_error', onError);
  consumer.start();
  return () => {
    // Not `once` from node:events, which rejects if an `error` event comes first.
    const stopped = new Promise<void>((resolve) => consumer.once('stopped', () => resolve()));
    consumer.stop();
    return stopped;
  };
}
