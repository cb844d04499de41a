/**
 * A queue as a process reaches it: each call is a request that travels to the broker, takes effect there, and an answer
 * that travels back. Either can be slow or lost; the process may be dead, stopped or busy when the answer arrives.
 * It reports what took effect, and what went wrong, to the ledger.
 */
import type { Random } from '../harness/random.ts';
import type {
  EntryFailure,
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../src/brokers/broker.ts';
import { BrokerError } from '../src/brokers/errors.ts';
import { SQS_LIMITS } from '../src/brokers/rules/limits.ts';
import type { Call, CallFault } from './faults.ts';
import type { Ledger } from './invariants.ts';
import type { SimulatedProcess } from './process.ts';
import type { VirtualTime } from './virtual-time.ts';

/** What all connections of a world have in common. */
export interface Network {
  readonly time: VirtualTime;
  readonly ledger: Ledger;
  /** For latencies. */
  readonly random: Random;
  /** True if there is no network: the broker runs in the process, or is a file. */
  readonly isLocal: boolean;
  /** True while the broker refuses requests. */
  isThrottled: boolean;
}

/** The ways to make a queue's broker misbehave that only a model has. */
export interface MisbehavingQueue extends Queue {
  /** The next receive returns one of its messages twice. */
  answerTwice(entry: number): void;
  /** The next receive also returns a message that is in flight, or was deleted. */
  deliverAgain(entry: number): void;
}

interface Request<Result> {
  readonly call: Call;
  /** Takes effect at the broker. */
  readonly effect: () => Promise<Result>;
  readonly fault: CallFault | undefined;
  /** Called when something goes wrong with it. */
  readonly disturb: () => void;
  /** How long the broker may wait before it answers, in milliseconds. */
  readonly waitMs?: number;
}

/** How long a server waits for a client that has hung up, at most, in milliseconds. */
const NOTICED_MS = 2_000;
/** How long a request and its answer take, at most, unless something goes wrong. */
const LATENCY_MS = 50;
const HUNG_UP = new Error('hung up');
/** After this long, a client gives up on a request, in milliseconds. */
const CLIENT_TIMEOUT_MS = 10_000;
const NOT_HEARD: EntryFailure = { ok: false, code: 'InternalError', message: 'try again', retryable: true };

export class ReachedQueue implements Queue {
  readonly name: string;
  readonly fifo: boolean;
  readonly visibilityTimeout: number;
  readonly contentBasedDeduplication = false;
  readonly abortsReceives: boolean;
  readonly limits = SQS_LIMITS;
  readonly #process: SimulatedProcess;
  readonly #queue: Queue;
  readonly #network: Network;
  /** Ends the receives that wait at the broker. */
  readonly #hangUps = new Set<() => void>();

  constructor(process: SimulatedProcess, queue: Queue, network: Network) {
    this.name = queue.name;
    this.fifo = queue.fifo;
    this.visibilityTimeout = queue.visibilityTimeout;
    this.abortsReceives = queue.abortsReceives;
    this.#process = process;
    this.#queue = queue;
    this.#network = network;
    process.onDeath(() => {
      for (const hangUp of this.#hangUps) this.#hangUp(hangUp);
    });
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    const fault = this.#process.leave('receive');
    const { signal, waitSeconds } = options;
    const hangUp = new AbortController();
    const hangUpNow = () => hangUp.abort(HUNG_UP);
    const answer = this.#request({
      ...{ call: 'receive', fault, disturb: () => {}, waitMs: waitSeconds * 1000 },
      effect: () => this.#receive(options, hangUp.signal, fault),
    });
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.#hangUps.delete(hangUpNow);
        this.#hangUp(hangUpNow);
        if (!this.abortsReceives) resolve([]);
      };
      const end = () => {
        this.#hangUps.delete(hangUpNow);
        signal?.removeEventListener('abort', abort);
      };
      this.#hangUps.add(hangUpNow);
      if (signal?.aborted) abort();
      else signal?.addEventListener('abort', abort);
      answer.then(resolve, reject).finally(end);
    });
  }

  /** A receive at the broker. */
  async #receive(
    options: ReceiveOptions,
    signal: AbortSignal,
    fault: CallFault | undefined,
  ): Promise<Message[]> {
    const queue = this.#queue as MisbehavingQueue;
    const process = this.#process;
    if (fault?.does === 'answer twice') queue.answerTwice(fault.entry);
    if (fault?.does === 'deliver again') queue.deliverAgain(fault.entry);
    const messages = await queue.receive({ ...options, signal });
    const isDisturbed = fault !== undefined || process.slowness > 0 || process.partition !== undefined;
    const seconds = options.visibilityTimeout ?? this.visibilityTimeout;
    // Its process cannot tell in a long poll when its messages were received.
    const slackMs = options.waitSeconds === 0 ? 0 : isDisturbed ? Number.POSITIVE_INFINITY : LATENCY_MS;
    this.#network.ledger.received(process, queue, messages, { seconds, isDisturbed, slackMs });
    return messages;
  }

  /** A server takes a while to notice that a client has hung up; a local broker ends with its process. */
  #hangUp(hangUp: () => void): void {
    const { time, random } = this.#network;
    if (this.abortsReceives) hangUp();
    else time.at(time.now + NOTICED_MS * random(), hangUp);
  }

  send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    return this.#batch('send', messages, async (entries) => {
      const results = await this.#queue.send(entries);
      for (const [index, message] of entries.entries()) {
        const result = results[index];
        if (result?.ok) this.#network.ledger.sent(this.#process, this.#queue, message, result.messageId);
      }
      return results;
    });
  }

  delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    const answer = this.#batch('delete', receiptHandles, async (entries) => {
      const results = await this.#queue.delete(entries);
      for (const [index, handle] of entries.entries()) {
        if (results[index]?.ok) this.#network.ledger.deleted(this.#process, this.#queue, handle);
      }
      return results;
    });
    return answer.then((results) => {
      this.#network.ledger.confirmed(this.#process, results.filter(({ ok }) => ok).length);
      return results;
    });
  }

  changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    return this.#batch('changeVisibility', changes, async (entries) => {
      const results = await this.#queue.changeVisibility(entries);
      for (const [index, change] of entries.entries()) {
        if (results[index]?.ok) this.#network.ledger.visibilityChanged(this.#process, this.#queue, change);
      }
      return results;
    });
  }

  counts() {
    return this.#queue.counts();
  }

  purge() {
    return this.#queue.purge();
  }

  /** A request with several entries, of which one may fail alone. */
  #batch<Entry, Result extends { readonly ok: boolean }>(
    call: 'send' | 'delete' | 'changeVisibility',
    entries: readonly Entry[],
    effect: (entries: readonly Entry[]) => Promise<Result[]>,
  ): Promise<(Result | EntryFailure)[]> {
    const fault = this.#process.leave(call);
    const disturb = () => this.#network.ledger.disturbed(entries);
    if (!fault?.does.startsWith('fail entry')) {
      return this.#request({ call, fault, disturb, effect: () => effect(entries) });
    }
    disturb();
    const failing = fault.entry % entries.length;
    const isUnheard = fault.does === 'fail entry unheard';
    return this.#request<(Result | EntryFailure)[]>({
      ...{ call, fault: undefined, disturb },
      effect: async () => {
        const asked = entries.filter((_, index) => isUnheard || index !== failing);
        const results: (Result | EntryFailure)[] = asked.length === 0 ? [] : await effect(asked);
        results.splice(failing, isUnheard ? 1 : 0, NOT_HEARD);
        return results;
      },
    });
  }

  #request<Result>({ call, effect, fault, disturb, waitMs = 0 }: Request<Result>): Promise<Result> {
    const process = this.#process;
    const network = this.#network;
    const { time } = network;
    const sentAt = process.time;
    if (fault || process.slowness > 0) disturb();
    return new Promise((resolve, reject) => {
      if (!process.isAlive) return;
      const fail = (at: number, kind: 'unreachable' | 'throttled', text: string) =>
        process.run(at, 'answers', () => reject(new BrokerError(kind, `${call}: ${text}`)));
      const isLost = () => {
        disturb();
        fail(sentAt + waitMs + CLIENT_TIMEOUT_MS, 'unreachable', 'no answer in time');
      };
      const arrivesAt = sentAt + this.#latency(fault?.does === 'slow request' ? fault.seconds : 0);
      if (fault?.does === 'refuse') return fail(arrivesAt, 'unreachable', 'connection reset');
      if (fault?.does === 'lose request' || process.partition === 'out') return isLost();
      const hear = (settle: () => void) => {
        if (fault?.does === 'lose answer' || process.partition === 'in') return isLost();
        const extra = fault?.does === 'slow answer' ? fault.seconds : 0;
        process.run(time.now + this.#latency(extra), 'answers', settle);
      };
      time.at(arrivesAt, () => {
        if (network.isThrottled) {
          disturb();
          fail(time.now + this.#latency(0), 'throttled', 'slow down');
          return;
        }
        effect().then(
          (result) => hear(() => resolve(result)),
          (error: unknown) => hear(() => reject(error)),
        );
        if (fault?.does === 'kill after') process.kill();
      });
    });
  }

  /** Milliseconds for one way. */
  #latency(extraSeconds: number): number {
    const { isLocal, random } = this.#network;
    const base = isLocal ? 0 : 1 + 20 * random() ** 4 + this.#process.slowness * random();
    return base + extraSeconds * 1000;
  }
}
