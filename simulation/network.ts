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
import type { Ledger } from './ledger.ts';
import type { SimulatedProcess } from './process.ts';
import { SqsModel } from './sqs-model.ts';
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

/** How long a server waits for a client that has hung up, at most, in milliseconds. */
const NOTICED_MS = 2_000;
/** How long a request and its answer take, at most, unless something goes wrong. */
const LATENCY_MS = 50;
/** After this long, a client gives up on a request, in milliseconds. */
const CLIENT_TIMEOUT_MS = 10_000;
/** Made once, because that takes long. */
const HUNG_UP = new Error('hung up');
const FAILED: EntryFailure = { ok: false, code: 'InternalError', message: 'try again', retryable: true };

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
      for (const hangUp of this.#hangUps) hangUp();
    });
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    const { time, random } = this.#network;
    const { signal } = options;
    const hungUp = new AbortController();
    const hangUp = () => {
      this.#hangUps.delete(hangUp);
      // A server takes a while to notice it; a local broker ends with its process.
      if (this.abortsReceives) hungUp.abort(HUNG_UP);
      else time.at(time.now + NOTICED_MS * random(), () => hungUp.abort(HUNG_UP));
    };
    const aborted = Promise.withResolvers<Message[]>();
    const abort = () => {
      hangUp();
      if (!this.abortsReceives) aborted.resolve([]);
    };
    const answer = this.#receive({ ...options, signal: hungUp.signal });
    this.#hangUps.add(hangUp);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      return await Promise.race([answer, aborted.promise]);
    } finally {
      this.#hangUps.delete(hangUp);
      signal?.removeEventListener('abort', abort);
    }
  }

  #receive(options: ReceiveOptions): Promise<Message[]> {
    const { ledger } = this.#network;
    const process = this.#process;
    const queue = this.#queue;
    const fault = process.leave('receive');
    const receive = async () => {
      if (queue instanceof SqsModel && fault?.does === 'answer twice') queue.answerTwice(fault.entry);
      if (queue instanceof SqsModel && fault?.does === 'deliver again') queue.deliverAgain(fault.entry);
      const messages = await queue.receive(options);
      const isDisturbed = fault !== undefined || process.slowness > 0 || process.partition !== undefined;
      const seconds = options.visibilityTimeout ?? this.visibilityTimeout;
      // Its process cannot tell in a long poll when its messages were received.
      const slackMs = options.waitSeconds === 0 ? 0 : isDisturbed ? Number.POSITIVE_INFINITY : LATENCY_MS;
      for (const message of messages) {
        ledger.received(process, queue, message, { seconds, isDisturbed, slackMs });
      }
      return messages;
    };
    return this.#request('receive', fault, receive, () => {}, options.waitSeconds * 1000);
  }

  send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    const send = (asked: readonly OutgoingMessage[]) => this.#queue.send(asked);
    return this.#batch(
      'send',
      messages,
      ({ body }) => body,
      send,
      (message, result) => {
        if (result.ok) this.#network.ledger.sent(this.#process, this.#queue, message, result.messageId);
      },
    );
  }

  async delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    const { ledger } = this.#network;
    const remove = (asked: readonly string[]) => this.#queue.delete(asked);
    const deleted = (handle: string) => ledger.deleted(this.#process, this.#queue, handle);
    const results = await this.#batch('delete', receiptHandles, (handle) => handle, remove, deleted);
    ledger.confirmed(this.#process, results.filter(({ ok }) => ok).length);
    return results;
  }

  changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    const change = (asked: readonly VisibilityChange[]) => this.#queue.changeVisibility(asked);
    const changed = (entry: VisibilityChange) => this.#network.ledger.visibilityChanged(this.#process, entry);
    return this.#batch('changeVisibility', changes, ({ receiptHandle }) => receiptHandle, change, changed);
  }

  counts() {
    return this.#queue.counts();
  }

  purge() {
    return this.#queue.purge();
  }

  /** A request with several entries, of which one may fail alone. `took` is called for each that took effect. */
  #batch<Entry, Result extends { readonly ok: boolean }>(
    call: 'send' | 'delete' | 'changeVisibility',
    entries: readonly Entry[],
    keyOf: (entry: Entry) => string,
    perform: (entries: readonly Entry[]) => Promise<Result[]>,
    took: (entry: Entry, result: Result) => void,
  ): Promise<(Result | EntryFailure)[]> {
    const fault = this.#process.leave(call);
    const failing = fault?.does.startsWith('fail entry') ? fault.entry % entries.length : undefined;
    const isUnheard = fault?.does === 'fail entry unheard';
    const effect = async () => {
      const asked = isUnheard ? entries : entries.filter((_, index) => index !== failing);
      const results: (Result | EntryFailure)[] = asked.length === 0 ? [] : await perform(asked);
      for (const [index, entry] of asked.entries())
        if (results[index]?.ok) took(entry, results[index] as Result);
      if (failing === undefined) return results;
      return results.toSpliced(failing, isUnheard ? 1 : 0, FAILED);
    };
    return this.#request(call, fault, effect, () => this.#network.ledger.disturbed(entries.map(keyOf)));
  }

  /** `disturb` is called when something goes wrong. The broker may wait for `waitMs` before it answers. */
  #request<Result>(
    call: Call,
    fault: CallFault | undefined,
    effect: () => Promise<Result>,
    disturb: () => void,
    waitMs = 0,
  ): Promise<Result> {
    const process = this.#process;
    const { time } = this.#network;
    const { does } = fault ?? {};
    const sentAt = process.time;
    if (fault || process.slowness > 0) disturb();
    return new Promise((resolve, reject) => {
      if (!process.isAlive) return;
      const fail = (at: number, kind: 'unreachable' | 'throttled', text: string) =>
        process.run(at, 'answers', () => reject(new BrokerError(kind, `${call}: ${text}`)));
      const lose = () => {
        disturb();
        fail(sentAt + waitMs + CLIENT_TIMEOUT_MS, 'unreachable', 'no answer in time');
      };
      const hear = (settle: () => void) => {
        if (does === 'lose answer' || process.partition === 'in') return lose();
        // The network may have become slow since it was sent.
        if (process.slowness > 0) disturb();
        process.run(time.now + this.#latency(does === 'slow answer' && fault), 'answers', settle);
      };
      const arrivesAt = sentAt + this.#latency(does === 'slow request' && fault);
      if (does === 'refuse') return fail(arrivesAt, 'unreachable', 'connection reset');
      if (does === 'lose request' || process.partition === 'out') return lose();
      time.at(arrivesAt, () => {
        if (this.#network.isThrottled) {
          disturb();
          return fail(time.now + this.#latency(), 'throttled', 'slow down');
        }
        effect().then(
          (result) => hear(() => resolve(result)),
          (error: unknown) => hear(() => reject(error)),
        );
        if (does === 'kill after') process.kill();
      });
    });
  }

  /** Milliseconds for one way. */
  #latency(slow: false | CallFault | undefined = false): number {
    const { isLocal, random } = this.#network;
    const base = isLocal ? 0 : 1 + 20 * random() ** 4 + this.#process.slowness * random();
    return base + (slow ? slow.seconds * 1000 : 0);
  }
}
