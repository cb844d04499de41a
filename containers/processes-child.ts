/**
 * What the parent and the children of a container with several processes say to each other, and the child's side of it.
 * Orders come as messages instead of signals, because these reach a child also before it listens, and because the
 * terminal and systemd send signals to parent and children alike.
 */
import type { Steering } from './process-events.ts';

/** What the parent tells a child; `allow` raises its part of the message limit. */
export type Order =
  | { readonly type: 'stop' | 'wake' | 'reopenLogs' }
  | { readonly type: 'allow'; readonly messages: number };

/**
 * What a child tells its parent: it takes messages from now on; it has done one; it ends because there was none for
 * `idle_exit`; it uses more memory than `max_memory`, told again and again while that is so.
 */
export type Report =
  | { readonly type: 'ready' | 'done' | 'idle' }
  | { readonly type: 'memory'; readonly bytes: number };

/** What the orders do. */
export interface Obeying extends Steering {
  readonly allow: (messages: number) => void;
}

/** Set for children, to the number of the process. */
export const CHILD_VARIABLE = 'SQS_CONTAINERS_PROCESS';

const MEMORY_CHECK_MS = 1_000;

/** The parent of this process if it is such a child. To be asked once: programs that a worker starts are none. */
export function findParent(): ParentProcess | undefined {
  const number = process.env[CHILD_VARIABLE];
  delete process.env[CHILD_VARIABLE];
  return number !== undefined && process.send ? new ParentProcess() : undefined;
}

export class ParentProcess {
  #memoryCheck: NodeJS.Timeout | undefined;

  /**
   * Does what the parent orders, and what it ordered before; drains when the parent has ended. Reports when this
   * process uses more than `maxMemory` bytes.
   */
  obey(steering: Obeying, maxMemory = Number.POSITIVE_INFINITY): void {
    const orphaned = () => {
      steering.log.warn('The parent process has ended: draining');
      steering.stop();
    };
    process.on('disconnect', orphaned);
    if (!process.connected) orphaned();
    process.on('message', (order: Order) => {
      if (order.type === 'allow') steering.allow(order.messages);
      else steering[order.type]();
    });
    this.#memoryCheck = setInterval(() => {
      const bytes = process.memoryUsage.rss();
      if (bytes > maxMemory) this.report({ type: 'memory', bytes });
    }, MEMORY_CHECK_MS);
  }

  report(report: Report): void {
    // A parent that has ended is noticed elsewhere.
    if (process.connected) process.send?.(report, undefined, undefined, () => {});
  }

  /** Looks at the memory no more. */
  end(): void {
    clearInterval(this.#memoryCheck);
  }
}
