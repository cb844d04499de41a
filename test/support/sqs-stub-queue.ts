/**
 * A queue of the SQS stub: a standard queue in memory, with real visibility timeouts, delays, receive counts and long
 * polls. Each message in flight or delayed has one timer, so that even a hundred thousand messages are cheap.
 */
import { createHash, randomUUID } from 'node:crypto';

export interface StubMessage {
  readonly id: string;
  readonly body: string;
  readonly bodyMd5: string;
  readonly attributes: unknown;
  readonly groupId: string | undefined;
  readonly sentAt: number;
  receiveCount: number;
  /** The receipt handle of the last receive. */
  receiptHandle: string;
  timer: NodeJS.Timeout | undefined;
}

export interface StubReceive {
  readonly max: number;
  readonly waitSeconds: number;
  readonly visibilityTimeout: number;
}

interface LongPoll extends StubReceive {
  readonly answer: (messages: StubMessage[]) => void;
  timer: NodeJS.Timeout | undefined;
}

export class StubQueue {
  readonly name: string;
  visibilityTimeout = 30;
  #ready: StubMessage[] = [];
  /** The index of the first ready message, because shifting a long array for each receive would be slow. */
  #head = 0;
  readonly #delayed = new Set<StubMessage>();
  /** By receipt handle. */
  readonly #inFlight = new Map<string, StubMessage>();
  readonly #longPolls = new Set<LongPoll>();

  constructor(name: string) {
    this.name = name;
  }

  get counts(): { visible: number; inFlight: number; delayed: number; longPolls: number } {
    return {
      visible: this.#ready.length - this.#head,
      inFlight: this.#inFlight.size,
      delayed: this.#delayed.size,
      longPolls: this.#longPolls.size,
    };
  }

  /** Adds `count` messages at once; without a `body`, the calls `[[0],{}]`, `[[1],{}]` and so on. */
  preload(count: number, body?: string): void {
    for (let index = 0; index < count; index += 1) this.send(body ?? `[[${index}],{}]`, {});
  }

  /** Sends this many calls of a task. */
  preloadTask(count: number, task: string): void {
    const text = (StringValue: string) => ({ DataType: 'String', StringValue });
    const attributes = { ContentType: text('json'), JobName: text(task), JobContext: text('{}') };
    for (let index = 0; index < count; index += 1) this.send(`{"number":${index}}`, { attributes });
  }

  send(body: string, more: { attributes?: unknown; groupId?: string; delaySeconds?: number }): StubMessage {
    const message: StubMessage = {
      id: randomUUID(),
      body,
      bodyMd5: createHash('md5').update(body).digest('hex'),
      attributes: more.attributes,
      groupId: more.groupId,
      sentAt: Date.now(),
      receiveCount: 0,
      receiptHandle: '',
      timer: undefined,
    };
    if (!more.delaySeconds) {
      this.#makeVisible(message);
    } else {
      this.#delayed.add(message);
      message.timer = setTimeout(() => {
        this.#delayed.delete(message);
        this.#makeVisible(message);
      }, more.delaySeconds * 1000);
    }
    return message;
  }

  /** Responds immediately if there are messages, otherwise when one arrives or the wait ends. Returns a cancel function. */
  receive(request: StubReceive, answer: (messages: StubMessage[]) => void): () => void {
    if (this.counts.visible > 0 || request.waitSeconds === 0) {
      answer(this.#take(request));
      return () => {};
    }
    const longPoll: LongPoll = { ...request, answer, timer: undefined };
    longPoll.timer = setTimeout(() => {
      this.#longPolls.delete(longPoll);
      answer([]);
    }, request.waitSeconds * 1000);
    this.#longPolls.add(longPoll);
    return () => this.#callOff(longPoll);
  }

  /** Deletes the message of a receipt handle; as on SQS, an outdated handle deletes nothing. */
  delete(receiptHandle: string): void {
    const message = this.#inFlight.get(receiptHandle);
    clearTimeout(message?.timer);
    this.#inFlight.delete(receiptHandle);
  }

  /** False if no message in flight has this receipt handle. */
  changeVisibility(receiptHandle: string, seconds: number): boolean {
    const message = this.#inFlight.get(receiptHandle);
    if (!message) return false;
    clearTimeout(message.timer);
    this.#hide(message, seconds);
    return true;
  }

  /** Clears every timer. */
  stop(): void {
    for (const message of [...this.#inFlight.values(), ...this.#delayed]) clearTimeout(message.timer);
    for (const longPoll of this.#longPolls) this.#callOff(longPoll);
  }

  #take({ max, visibilityTimeout }: StubReceive): StubMessage[] {
    const messages = this.#ready.slice(this.#head, this.#head + max);
    this.#head += messages.length;
    if (this.#head > 1000 && this.#head * 2 > this.#ready.length) {
      this.#ready = this.#ready.slice(this.#head);
      this.#head = 0;
    }
    for (const message of messages) {
      message.receiveCount += 1;
      message.receiptHandle = `${message.id}:${message.receiveCount}`;
      this.#inFlight.set(message.receiptHandle, message);
      this.#hide(message, visibilityTimeout);
    }
    return messages;
  }

  #hide(message: StubMessage, seconds: number): void {
    const show = () => {
      this.#inFlight.delete(message.receiptHandle);
      this.#makeVisible(message);
    };
    if (seconds === 0) show();
    else message.timer = setTimeout(show, seconds * 1000);
  }

  #makeVisible(message: StubMessage): void {
    this.#ready.push(message);
    for (const longPoll of this.#longPolls) {
      this.#callOff(longPoll);
      longPoll.answer(this.#take(longPoll));
      return;
    }
  }

  #callOff(longPoll: LongPoll): void {
    clearTimeout(longPoll.timer);
    this.#longPolls.delete(longPoll);
  }
}
