/** What the settings of an ini file mean for the worker, the queues and the run loop. */
import type { Broker, Queue } from '../brokers/broker.ts';
import type { Config } from '../config/config.ts';
import { fullName } from '../config/queue-names.ts';
import type { ConsumerOptions } from '../consumer/consumer.ts';
import { loadExpression } from '../modules/load.ts';
import { type Backoff, constantBackoff, exponentialBackoff, noBackoff } from '../worker/backoff.ts';
import type { MessageLog } from '../worker/current-message.ts';
import { createWorker, type Worker } from '../worker/worker.ts';

/** Imports what `worker` names and makes the worker. Throws ModuleLoadError, WorkerFactoryError. */
export async function makeWorker({ container, directory, worker }: Config, log: MessageLog): Promise<Worker> {
  const factory = await loadExpression(container.worker, directory);
  return createWorker(factory, worker, container.worker, { directory, log });
}

/** Opens the queues to work on. `suffix` goes behind their names. Throws QueueNotFoundError, BrokerError. */
export function openQueues<Opened extends Queue>(
  broker: { open(name: string): Promise<Opened> },
  { container }: Config,
  suffix?: string,
): Promise<{ queue: Opened; weight: number }[]> {
  const { queue: shares, queuePrefix: prefix } = container;
  return Promise.all(
    shares.map(async ({ name, weight }) => ({
      queue: await broker.open(fullName(name, { prefix, suffix })),
      weight,
    })),
  );
}

/** The options of the run loop, but for what has to be opened. Throws QueueNotFoundError, BrokerError. */
export async function consumerOptions(broker: Broker, { container }: Config): Promise<ConsumerOptions> {
  const { deadLetterQueue, queuePrefix: prefix } = container;
  const { visibilityTimeout, handlerTimeout, messageLimit, idleExit } = container;
  return {
    slots: container.concurrency,
    prefetch: container.prefetch,
    waitSeconds: container.poll,
    idlePause: container.idlePause,
    settleDelayMs: container.settleDelay,
    onError: container.onError,
    backoff: backoffOf(container),
    crashLimit: container.crashLimit,
    deleteOnStart: container.deleteOnStart,
    drainTimeout: container.drainTimeout,
    ...(deadLetterQueue !== undefined && {
      deadLetterQueue: await broker.open(fullName(deadLetterQueue, { prefix })),
    }),
    ...(visibilityTimeout !== undefined && { visibilityTimeout }),
    ...(handlerTimeout !== undefined && { handlerTimeout }),
    ...(messageLimit !== undefined && { messageLimit }),
    ...(idleExit !== undefined && { idleExit }),
  };
}

function backoffOf({
  backoff,
  backoffBase: base,
  backoffMax: max,
  backoffSpread: spread,
}: Config['container']): Backoff {
  switch (backoff) {
    case 'none':
      return noBackoff;
    case 'constant':
      return constantBackoff({ base, max, spread });
    case 'exponential':
      return exponentialBackoff({ base, max, spread });
  }
}
