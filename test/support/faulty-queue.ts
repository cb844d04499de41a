// A queue for the specs of the run loop: a memory queue that records calls and can inject faults.
import type {
  EntryFailure,
  EntryResult,
  Message,
  OutgoingMessage,
  Queue,
  ReceiveOptions,
  SendResult,
  VisibilityChange,
} from '../../src/brokers/broker.ts';

type Action = 'receive' | 'send' | 'delete' | 'changeVisibility';

/**
 * A fault of a call: it fails completely, with or without having been carried out, it fails for some entries, or it takes
 * this many milliseconds longer.
 */
export type Fault =
  | { readonly error: Error; readonly worked?: boolean }
  | { readonly entries: (name: string, index: number) => EntryFailure | undefined }
  | { readonly milliseconds: number };

export const refused = (code: string, retryable: boolean): EntryFailure => ({
  ok: false,
  code,
  message: 'refused',
  retryable,
});

export class FaultyQueue implements Queue {
  readonly #queue: Queue;
  /** The calls so far, with their entries. */
  readonly calls: { action: Action; entries: readonly unknown[]; at: number }[] = [];
  /** The faults of the next calls of an action, in turn; `always` applies when there are none. */
  readonly faults: Record<Action, Fault[]> = {
    receive: [],
    send: [],
    delete: [],
    changeVisibility: [],
  };
  /** SQS's limits, unless a spec overrides them. */
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
  get limits() {
    return this.#queue.limits;
  }
  get visibilityTimeout() {
    return this.#queue.visibilityTimeout;
  }
  get contentBasedDeduplication() {
    return this.#queue.contentBasedDeduplication;
  }

  /** Injects these faults into the next calls of some actions. */
  ail(faults: Partial<Record<Action, readonly Fault[]>>): void {
    for (const [action, list] of Object.entries(faults)) this.faults[action as Action].push(...list);
  }

  /** Removes all faults. */
  heal(): void {
    for (const action of ['receive', 'send', 'delete', 'changeVisibility'] as const) {
      this.faults[action].length = 0;
      delete this.always[action];
    }
  }

  callsOf(action: Action) {
    return this.calls.filter((call) => call.action === action);
  }

  async receive(options: ReceiveOptions): Promise<Message[]> {
    const fault = this.#begin('receive', [options.max]);
    if (fault && 'milliseconds' in fault) await sleep(fault.milliseconds);
    const messages = await this.#queue.receive(options);
    if (fault && 'error' in fault) throw fault.error;
    return messages;
  }

  /** Receives like another process that does nothing with the messages. Not recorded in the calls. */
  async receiveAndReturn(): Promise<void> {
    const { visible } = await this.#queue.counts();
    for (let received = 0; received < visible; received += 10) {
      await this.#queue.receive({ max: 10, waitSeconds: 0, visibilityTimeout: 0 });
    }
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

  send(messages: readonly OutgoingMessage[]): Promise<SendResult[]> {
    return this.#batch(
      'send',
      messages,
      ({ body }) => body,
      (entries) => this.#queue.send(entries),
    );
  }
  counts() {
    return this.#queue.counts();
  }
  purge() {
    return this.#queue.purge();
  }

  async #batch<Entry, Result>(
    action: Action,
    entries: readonly Entry[],
    nameOf: (entry: Entry) => string,
    work: (entries: readonly Entry[]) => Promise<Result[]>,
  ): Promise<(Result | EntryFailure)[]> {
    const fault = this.#begin(action, entries);
    if (fault && 'milliseconds' in fault) await sleep(fault.milliseconds);
    const failures = entries.map((entry, index) =>
      fault && 'entries' in fault ? fault.entries(nameOf(entry), index) : undefined,
    );
    const working = entries.filter((_, index) => failures[index] === undefined);
    const results = working.length > 0 ? await work(working) : [];
    if (fault && 'error' in fault) throw fault.error;
    return failures.map((failure) => failure ?? results.shift()!);
  }

  #begin(action: Action, entries: readonly unknown[]): Fault | undefined {
    this.calls.push({ action, entries, at: performance.now() });
    const fault = this.faults[action].shift() ?? this.always[action];
    if (fault && 'error' in fault && !fault.worked) throw fault.error;
    return fault;
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
