/** Pending long polls, served in the order in which they started to wait. */
import type { Machine, Timer } from '../../host/host.ts';
import type { Message, ReceiveOptions } from '../broker.ts';
import { LONGEST_TIMER_MS } from '../pending-polls.ts';

interface WaitingReceive {
  readonly options: ReceiveOptions;
  readonly end: (messages: Message[]) => void;
  readonly fail: (error: Error) => void;
}

type Clock = Pick<Machine, 'wallClock' | 'setTimeout' | 'clearTimeout'>;

export class WaitingReceives {
  readonly #take: (options: ReceiveOptions) => Message[];
  readonly #nextVisibleAt: () => number | undefined;
  readonly #machine: Clock;
  readonly #receives = new Set<WaitingReceive>();
  #alarm: { readonly timer: Timer; readonly at: number } | undefined;

  /** `take` takes visible messages; `nextVisibleAt` returns when the next one becomes visible, in milliseconds. */
  constructor(
    take: (options: ReceiveOptions) => Message[],
    nextVisibleAt: () => number | undefined,
    machine: Clock,
  ) {
    this.#take = take;
    this.#nextVisibleAt = nextVisibleAt;
    this.#machine = machine;
  }

  /** Resolves with the first messages, or with none when the wait ends or the signal is aborted. */
  add(options: ReceiveOptions): Promise<Message[]> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#machine.clearTimeout(timer);
        options.signal?.removeEventListener('abort', endEmpty);
        this.#receives.delete(receive);
        this.#setAlarm();
      };
      const receive: WaitingReceive = {
        options,
        end: (messages) => {
          leave();
          resolve(messages);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const endEmpty = () => receive.end([]);
      const timer = this.#machine.setTimeout(endEmpty, options.waitSeconds * 1000);
      options.signal?.addEventListener('abort', endEmpty);
      this.#receives.add(receive);
      this.#setAlarm();
    });
  }

  /** Gives visible messages to pending receives. */
  serve(): void {
    for (const receive of this.#receives) {
      const messages = this.#take(receive.options);
      if (messages.length === 0) break;
      receive.end(messages);
    }
    this.#setAlarm();
  }

  /** Resolves all pending receives with no messages. */
  end(): void {
    for (const receive of this.#receives) receive.end([]);
  }

  fail(error: Error): void {
    for (const receive of this.#receives) receive.fail(error);
  }

  /** Sets a timer to serve again when the next message becomes visible, if any receive is pending. */
  #setAlarm(): void {
    const at = this.#receives.size > 0 ? this.#nextVisibleAt() : undefined;
    if (at === this.#alarm?.at) return;
    this.#machine.clearTimeout(this.#alarm?.timer);
    this.#alarm = undefined;
    if (at === undefined) return;
    const alarm = () => {
      this.#alarm = undefined;
      this.serve();
    };
    const leftMs = at - this.#machine.wallClock();
    const timer = this.#machine.setTimeout(alarm, Math.min(leftMs, LONGEST_TIMER_MS));
    this.#alarm = { timer, at };
  }
}
