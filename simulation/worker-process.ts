/**
 * A process that handles messages: the real run loop and crash record, and a worker that does with each message what the
 * plan says, attempt by attempt.
 */
import type { Message, Queue } from '../src/brokers/broker.ts';
import { Consumer } from '../src/consumer/consumer.ts';
import type { ConsumerObserver } from '../src/consumer/observer.ts';
import { PollingStoppedError } from '../src/consumer/receiver.ts';
import { CrashLimitError } from '../src/consumer/run-worker.ts';
import { type CrashFile, type CrashFileOptions, openCrashFile } from '../src/host/crashes/crash-file.ts';
import { exitCodes } from '../src/host/exit-codes.ts';
import type { Files } from '../src/host/files.ts';
import { type Host, untilAborted } from '../src/host/host.ts';
import type { Order, Report } from '../src/supervisor/parent-process.ts';
import type { ProcessEnd } from '../src/supervisor/respawn.ts';
import { currentMessage } from '../src/worker/current-message.ts';
import { TransientError } from '../src/worker/errors.ts';
import type { MemoryFiles } from '../test/support/memory-files.ts';
import type { Delivery } from './invariants.ts';
import type { Ledger } from './ledger.ts';
import type { Attempt, Settings } from './plan.ts';
import type { Computer, SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What processes need from their world. */
export interface Surroundings {
  readonly settings: Settings;
  /** The names of the queue and its dead-letter queue. */
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  readonly log: (who: string, what: string) => void;
  /** Starts a process, with its own way to the broker. */
  spawn(name: string, computer?: Computer): SimulatedProcess & Host;
  /** What the worker does next with a message. */
  nextAttempt(body: string): Attempt;
}

interface Options {
  readonly process: SimulatedProcess & Host;
  readonly world: Surroundings;
  readonly files: MemoryFiles;
  /** Which process it is on its computer. */
  readonly identity: Required<Pick<CrashFileOptions, 'processId' | 'startTimeOf'>>;
  /** Sends reports to the parent, if there is one. */
  readonly report: ((report: Report) => void) | undefined;
}

/** How long a worker that hangs takes, and how long after its return its timer does something, in milliseconds. */
const HANG_MS = 120_000;
const LATER_MS = 50;

export class WorkerProcess {
  readonly process: SimulatedProcess;
  /** How it ended. */
  end: Extract<ProcessEnd, { code: number | null }> = { code: null, signal: 'SIGKILL' };
  readonly #options: Options;
  #consumer: Consumer | undefined;
  /** The message that ended it. */
  #cause: Delivery | undefined;
  #isBroken = false;

  constructor(options: Options) {
    const { process, world } = options;
    this.#options = options;
    this.process = process;
    process.onHalt = () => world.ledger.processHalted(process);
    process.onDeath(() => {
      if (this.end.code === null || this.#cause) world.ledger.processDied(process, this.#cause);
    });
    this.#run().then(
      (code) => this.#exit(code, `exits with code ${code}`),
      (error: unknown) => {
        // A killed process throws whatever it likes; nobody hears it.
        if (!process.isAlive) return;
        if (!(error instanceof PollingStoppedError)) throw error;
        world.ledger.processDied(process, undefined);
        this.#exit(exitCodes.software, error.message);
      },
    );
  }

  get pid(): number {
    return this.#options.identity.processId;
  }

  /** SIGTERM. */
  terminate(): void {
    if (!this.#consumer || this.#consumer.state === 'draining') this.process.kill();
    else this.#stop();
  }

  obey(order: Order): void {
    if (order.type === 'stop') this.#stop();
    else if (order.type === 'allow') this.#consumer?.allow(order.messages);
    else if (order.type !== 'reopenLogs') this.#consumer?.[order.type]();
  }

  #stop(): void {
    if (!this.#consumer || this.#consumer.state === 'draining') return;
    this.#options.world.ledger.drainStarts(this.process);
    this.#consumer.stop();
  }

  async #run(): Promise<number> {
    const { process, world, report } = this.#options;
    const { settings, deadLetterQueue } = world;
    const crashRecord = settings.crashLimit > 0 ? this.#openCrashRecord() : undefined;
    const queue = await process.broker.open(world.queue);
    this.#consumer = await Consumer.open(
      process,
      { ...settings, queue: [{ name: world.queue, weight: 1 }], deadLetterQueue },
      {
        worker: { handleMessage: (message) => this.#handle(message, queue) },
        crashRecord,
        sharesMessageLimit: report !== undefined && settings.messageLimit !== undefined,
        observers: [this.#observer()],
      },
    );
    report?.({ type: 'ready' });
    const drained = await this.#consumer.run();
    if (!process.isAlive) return exitCodes.done;
    world.ledger.drained(process, drained);
    if (this.#consumer.idle) report?.({ type: 'idle' });
    if (this.#isBroken) return exitCodes.software;
    crashRecord?.close();
    return drained.unfinished > 0 ? exitCodes.unfinished : exitCodes.done;
  }

  /** As in a container: without a record, messages are handled all the same. */
  #openCrashRecord(): CrashFile | undefined {
    const { process, world, files, identity } = this.#options;
    const record = { folder: '/var/lib/crashes', container: 'worker.ini', slots: world.settings.concurrency };
    try {
      return openCrashFile({ ...record, ...identity, machine: process, files: reached(files, process) });
    } catch (error) {
      world.log(process.name, `no crash marks: ${(error as Error).message}`);
      world.ledger.crashRecordFailed();
      return undefined;
    }
  }

  #observer(): ConsumerObserver {
    const { process, world, files, report } = this.#options;
    const { ledger } = world;
    return {
      handled: ({ message }) => ledger.decided(message.receiptHandle, { action: 'delete' }),
      failed: ({ message }, error, outcome) => {
        // The messages log.
        process.leave('log');
        const isFull = files.full && outcome.action !== 'retry';
        const decided = isFull ? ({ action: 'retry' } as const) : outcome;
        ledger.decided(message.receiptHandle, decided, error instanceof CrashLimitError);
        if (isFull) throw new Error('No space left on device');
      },
      done: () => report?.({ type: 'done' }),
      leaseLost: ({ message }) => ledger.leaseLost(message.receiptHandle),
    };
  }

  async #handle(message: Message, queue: Queue): Promise<void> {
    const { process, world } = this.#options;
    if (!process.isAlive) return forever();
    const delivery = world.ledger.started(process, message.receiptHandle);
    try {
      await this.#attempt(world.nextAttempt(message.body), message, queue, delivery);
    } catch (error) {
      world.ledger.ended(delivery, 'failed');
      throw error;
    }
    world.ledger.ended(delivery, 'succeeded');
  }

  async #attempt(attempt: Attempt, message: Message, queue: Queue, delivery: Delivery): Promise<void> {
    const { process } = this;
    const { does, milliseconds } = attempt;
    const later = (ms: number, callback: () => void) => process.run(process.time + ms, 'timers', callback);
    const sleep = (ms: number) => new Promise<void>((resolve) => later(ms, resolve));
    const fail = (error: Error) => Promise.reject(error);
    const crash = () => {
      this.#cause = delivery;
      this.#exit(1, `${message.body} ends the process`);
    };
    const breakDown = () => {
      this.#isBroken = true;
      this.#stop();
    };
    const endings: Record<Attempt['does'], () => unknown> = {
      succeed: () => {},
      block: () => {},
      fail: () => fail(new Error('no such user')),
      retry: () => fail(new TransientError()),
      'retry later': () => fail(new TransientError({ delay: 1 + (milliseconds % 60) })),
      'wait for abort': () => {
        const ended = Promise.race([untilAborted(currentMessage().signal), sleep(HANG_MS)]);
        return ended.then(() => fail(new Error('aborted')));
      },
      hang: () => sleep(HANG_MS),
      extend: () =>
        currentMessage()
          .extend(1 + (milliseconds % 60))
          .then(() => sleep(milliseconds)),
      send: () => sendAnother(message, queue, this.#options.world.ledger),
      exit: () => {
        crash();
        return forever();
      },
      'exit later': () => later(LATER_MS, crash),
      'throw later': () => later(LATER_MS, breakDown),
    };
    if (does === 'block') process.block(milliseconds);
    else if (milliseconds > 0) await sleep(milliseconds);
    await endings[does]();
  }

  #exit(code: number, log: string): void {
    if (!this.process.isAlive) return;
    this.#options.world.log(this.process.name, log);
    this.end = { code, signal: null };
    this.process.kill();
  }
}

/** Sends a message of its own; a copy on a FIFO queue is dropped. */
async function sendAnother({ body, id }: Message, queue: Queue, ledger: Ledger): Promise<void> {
  const child = `${body} child`;
  const ordered = { groupId: child, deduplicationId: `${id} child` };
  const [result] = await queue.send([{ body: child, ...(queue.fifo && ordered) }]);
  if (!result?.ok) throw new TransientError('not sent');
  ledger.acknowledged(child);
}

/** The files of a computer as a process reaches them: it can be killed at each call. */
function reached(files: Files, process: SimulatedProcess): Files {
  return new Proxy(files, {
    get(target, name: keyof Files) {
      return (...args: unknown[]) => {
        const fault = process.leave('file');
        if (!process.isAlive) throw new Error('The process was killed.');
        try {
          return Reflect.apply(target[name], target, args) as unknown;
        } finally {
          if (fault?.does === 'kill after') process.kill();
        }
      };
    },
  });
}

function forever(): Promise<never> {
  return new Promise(() => {});
}
