/**
 * What the parent and the children of a container with several processes say to each other, and the child's side of it.
 * Orders come as messages instead of signals, because these reach a child also before it listens, and because the
 * terminal and systemd send signals to parent and children alike.
 */

import type { ConsumerState } from '../consumer/consumer.ts';
import type { ProcessControls } from '../container/process-events.ts';
import type { ServiceState } from '../host/systemd/service.ts';
import type { Snapshot } from '../observe/metrics/snapshot.ts';

/** What the parent tells a child; `allow` raises its part of the message limit. */
export type Order =
  | { readonly type: 'stop' | 'wake' | 'reopenLogs' | 'pause' | 'resume' }
  | { readonly type: 'allow'; readonly messages: number };

/**
 * What a child tells its parent: it takes messages from now on; it has done one; it ends because there was none for
 * `idle_exit`; it uses more memory than `max_memory`, told again and again while that is so; every second and at its
 * end, how it is.
 */
export type Report =
  | { readonly type: 'ready' | 'done' | 'idle' }
  | { readonly type: 'memory'; readonly bytes: number }
  | ({ readonly type: 'snapshot' } & ProcessSnapshot);

/** How a process is. */
export interface ProcessSnapshot {
  readonly snapshot: Snapshot;
  /** Whether it polls as it should. */
  readonly polling: boolean;
  readonly state: ConsumerState;
  /** Resident memory. */
  readonly memoryBytes: number;
}

/** What the orders do, and what there is to report. */
export interface ChildControls extends ProcessControls, ServiceState {
  readonly allow: (messages: number) => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Set for children, to the number of the process. */
export const CHILD_VARIABLE = 'SQS_CONTAINERS_PROCESS';

const REPORT_MS = 1_000;

/** The parent of this process if it is such a child. To be asked once: programs that a worker starts are none. */
export function findParent(): ParentProcess | undefined {
  const number = process.env[CHILD_VARIABLE];
  delete process.env[CHILD_VARIABLE];
  return number !== undefined && process.send ? new ParentProcess() : undefined;
}

export class ParentProcess {
  #reporting: NodeJS.Timeout | undefined;
  #reportSnapshot: () => void = () => {};

  /**
   * Does what the parent orders, and what it ordered before; drains when the parent has ended. Reports every second what
   * was counted, and when this process uses more than `maxMemory` bytes.
   */
  obey(steering: ChildControls, maxMemory = Number.POSITIVE_INFINITY): void {
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
    this.#reportSnapshot = () => {
      const memoryBytes = process.memoryUsage.rss();
      this.report({
        type: 'snapshot',
        snapshot: steering.snapshot(),
        polling: steering.polling(),
        state: steering.state(),
        memoryBytes,
      });
      if (memoryBytes > maxMemory) this.report({ type: 'memory', bytes: memoryBytes });
    };
    this.#reporting = setInterval(this.#reportSnapshot, REPORT_MS);
  }

  report(report: Report): void {
    // A parent that has ended is noticed elsewhere.
    if (process.connected) process.send?.(report, undefined, undefined, () => {});
  }

  /** Reports how it is for the last time, so that nothing counted is lost. */
  end(): void {
    clearInterval(this.#reporting);
    this.#reportSnapshot();
  }
}
