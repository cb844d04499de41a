/** The worker of a simulated container: does with each message what the plan says, attempt by attempt. */
import type { Message, Queue } from '../src/brokers/broker.ts';
import { untilAborted } from '../src/host/host.ts';
import { currentMessage } from '../src/worker/current-message.ts';
import { TransientError } from '../src/worker/errors.ts';
import type { Worker } from '../src/worker/worker.ts';
import type { Delivery, Ledger } from './invariants.ts';
import type { Attempt } from './plan.ts';
import type { SimulatedProcess } from './process.ts';

export interface WorkerParts {
  readonly process: SimulatedProcess;
  readonly ledger: Ledger;
  readonly queue: Queue;
  /** What it does with the message this time. */
  readonly nextAttempt: (body: string) => Attempt;
  /** Ends the process. */
  readonly exit: (delivery: Delivery) => void;
  /** Throws an exception that nothing catches. */
  readonly throwUncaught: () => void;
}

/** How long a worker that hangs takes, in milliseconds. */
const HANG_MS = 120_000;
/** How long after its return a worker's timer ends the process, in milliseconds. */
const LATER_MS = 50;

export function makeWorker(parts: WorkerParts): Worker {
  const { process, ledger, nextAttempt } = parts;
  return {
    async handleMessage(message) {
      if (!process.isAlive) return forever();
      const delivery = ledger.started(process, message.receiptHandle);
      try {
        await doNext(nextAttempt(message.body), message, delivery, parts);
      } catch (error) {
        ledger.ended(delivery, 'failed');
        throw error;
      }
      ledger.ended(delivery, 'succeeded');
    },
  };
}

async function doNext(
  { does, milliseconds }: Attempt,
  message: Message,
  delivery: Delivery,
  { process, ledger, queue, exit, throwUncaught }: WorkerParts,
): Promise<void> {
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => process.run(process.time + ms, 'timers', resolve));
  if (does === 'block') {
    process.block(milliseconds);
  } else if (milliseconds > 0) {
    await sleep(milliseconds);
  }
  switch (does) {
    case 'fail':
      throw new Error('no such user');
    case 'retry':
      throw new TransientError();
    case 'retry later':
      throw new TransientError({ delay: 1 + (milliseconds % 60) });
    case 'wait for abort':
      await Promise.race([untilAborted(currentMessage().signal), sleep(HANG_MS)]);
      throw new Error('aborted');
    case 'hang':
      return sleep(HANG_MS);
    case 'extend':
      await currentMessage().extend(1 + (milliseconds % 60));
      return sleep(milliseconds);
    case 'send':
      return sendAnother(message, queue, ledger);
    case 'exit':
      exit(delivery);
      return forever();
    case 'exit later':
      process.run(process.time + LATER_MS, 'timers', () => exit(delivery));
      return undefined;
    case 'throw later':
      process.run(process.time + LATER_MS, 'timers', throwUncaught);
      return undefined;
    default:
      return undefined;
  }
}

/** Sends a message of its own; a copy on a FIFO queue is dropped. */
async function sendAnother({ body, id }: Message, queue: Queue, ledger: Ledger): Promise<void> {
  const child = `${body} child`;
  const ordered = queue.fifo ? { groupId: child, deduplicationId: `${id} child` } : {};
  const [result] = await queue.send([{ body: child, ...ordered }]);
  if (!result?.ok) throw new TransientError('not sent');
  ledger.acknowledged(child);
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
