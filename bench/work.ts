/** The work for candidates: a stub's messages and a handler. */
import { sleep } from '../harness/clock.ts';
import type { StubProcess } from '../harness/sqs-stub-process.ts';

export interface Work {
  readonly stub: StubProcess;
  /** Handles one message. */
  readonly handle: Handler;
  /** Aborts when it is time to stop. */
  readonly end: AbortSignal;
}

/** Handles messages until `end`; resolves when no request is in flight. */
export type Candidate = (work: Work) => Promise<void>;

export type Handler = () => void | Promise<void>;

/** The slow messages in each hundred. As with random positions, four in ten batches of ten contain one. */
const SLOW = new Set([3, 28, 41, 47, 83]);

/** Creates a handler, by name. */
export const handlers = {
  nothing: () => () => {},
  busy1ms: () => () => spin(1),
  busy5ms: () => () => spin(5),
  sleeping200ms: () => () => sleep(200),
  /** 95 % sleep 5 ms and 5 % sleep 200 ms. */
  mixed: () => {
    let count = 0;
    return () => {
      count += 1;
      return sleep(SLOW.has(count % 100) ? 200 : 5);
    };
  },
} satisfies Record<string, () => Handler>;

export type HandlerName = keyof typeof handlers;

/** Keeps the CPU busy for this many milliseconds. */
function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}
