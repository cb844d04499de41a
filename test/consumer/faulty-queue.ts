// A queue for the specs of the run loop: the memory broker's, with a record of the calls and faults on demand.
import type {
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  ReceiveOptions,
  VisibilityChange,
} from '../../src/brokers/broker.ts';

type Action = 'receive' | 'delete' | 'changeVisibility';

/** What a call does instead of working: fail as a whole, fail for some entries, or take so many milliseconds first. */
export type Fault =
  | { readonly error: Error }
  | { readonly entries: (receiptHandle: string, index: number) => EntryResult | undefined }
  | { readonly milliseconds: number };

export const refused = (code: string, retryable: boolean): EntryResult => ({
  ok: false,
  code,
  message: 'refused',
  retryable,
});

export class FaultyQueue implements Queue {
  readonly #queue: Queue;
  /** The calls so far, with their entries. */
  readonly calls: { action: Action; entries: readonly unknown[]; at: number }[] = [];
  /** What the next calls of an action do, in turn; `always` what they do when there is none. */
  readonly faults: Record<Action, Fault[]> = { receive: [], delete: [], changeVisibility: [] };
  /** As on SQS, unless a spec says otherwise. */
  abortsReceives = false;
  readonly always: Partial<Record<Action, Fault>> = {};

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  get name() {
    return this.#queue.name;
  }
  get fifo() {
    return this.#queue.fifo;
  }
  get visibilityTimeout() {
    return this.#queue.visibilityTimeout;
  }
  get contentBasedDeduplication() {
    return this.#queue.contentBasedDeduplication;
  }

  callsOf(action: Action) {
    return this.calls.filter((call) => call.action === action);
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    const fault = this.#begin('receive', [options.max]);
    if (fault && 'milliseconds' in fault) await sleep(fault.milliseconds);
    return this.#queue.receive(options);
  }

  delete(receiptHandles: readonly string[]): Promise<EntryResult[]> {
    return this.#batch(
      'delete',
      receiptHandles,
      (handle) => handle,
      (handles) => this.#queue.delete(handles),
    );
  }

  changeVisibility(changes: readonly VisibilityChange[]): Promise<EntryResult[]> {
    return this.#batch(
      'changeVisibility',
      changes,
      ({ receiptHandle }) => receiptHandle,
      (entries) => this.#queue.changeVisibility(entries),
    );
  }

  send(messages: readonly OutgoingMessage[]) {
    return this.#queue.send(messages);
  }
  counts() {
    return this.#queue.counts();
  }
  purge() {
    return this.#queue.purge();
  }

  async #batch<Entry>(
    action: Action,
    entries: readonly Entry[],
    handleOf: (entry: Entry) => string,
    work: (entries: readonly Entry[]) => Promise<EntryResult[]>,
  ): Promise<EntryResult[]> {
    const fault = this.#begin(action, entries);
    if (fault && 'milliseconds' in fault) await sleep(fault.milliseconds);
    const failures = entries.map((entry, index) =>
      fault && 'entries' in fault ? fault.entries(handleOf(entry), index) : undefined,
    );
    const working = entries.filter((_, index) => failures[index] === undefined);
    const results = working.length > 0 ? await work(working) : [];
    return failures.map((failure) => failure ?? (results.shift() as EntryResult));
  }

  #begin(action: Action, entries: readonly unknown[]): Fault | undefined {
    this.calls.push({ action, entries, at: performance.now() });
    const fault = this.faults[action].shift() ?? this.always[action];
    if (fault && 'error' in fault) throw fault.error;
    return fault;
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
