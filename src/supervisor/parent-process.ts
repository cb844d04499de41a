/**
 * The messages between the parent and its child processes, and the child's side of the channel. Orders are messages,
 * not signals: a message also reaches a child that does not listen yet, and the terminal and systemd send signals to
 * parent and children alike.
 */

import type { ConsumerState } from '../consumer/consumer.ts';
import type { ProcessControls } from '../container/process-events.ts';
import type { ServiceState } from '../host/systemd/service.ts';
import type { Snapshot } from '../observe/metrics/snapshot.ts';

/** Sent by the parent to a child; `allow` raises its share of the message limit. */
export type Order =
  | { readonly type: 'stop' | 'wake' | 'reopenLogs' | 'pause' | 'resume' }
  | { readonly type: 'allow'; readonly messages: number };

/**
 * Sent by a child to its parent:
 * - `ready`: it receives messages from now on;
 * - `done`: it has finished a message;
 * - `idle`: it exits because no message arrived for `idle_exit` seconds;
 * - `memory`: it uses more than `max_memory`; repeated every second for as long as that is true;
 * - `snapshot`: its state, every second and before it exits.
 */
export type Report =
  | { readonly type: 'ready' | 'done' | 'idle' }
  | { readonly type: 'memory'; readonly bytes: number }
  | ({ readonly type: 'snapshot' } & ProcessSnapshot);

/** The state of a process. */
export interface ProcessSnapshot {
  readonly snapshot: Snapshot;
  /** False if polling is stuck. */
  readonly polling: boolean;
  readonly state: ConsumerState;
  /** Resident memory. */
  readonly memoryBytes: number;
}

/** Carries out orders, and supplies the data for reports. */
export interface ChildControls extends ProcessControls, ServiceState {
  readonly allow: (messages: number) => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Environment variable set for children: the number of the process. */
export const CHILD_VARIABLE = 'SQS_CONTAINERS_PROCESS';

const REPORT_MS = 1_000;

/**
 * The parent, if this process is a child of a container. Call it only once: it removes the variable, so that programs
 * started by a worker do not think that they are children, too.
 */
export function findParent(): ParentProcess | undefined {
  const number = process.env[CHILD_VARIABLE];
  delete process.env[CHILD_VARIABLE];
  return number !== undefined && process.send ? new ParentProcess() : undefined;
}

export class ParentProcess {
  #reporting: NodeJS.Timeout | undefined;
  #reportSnapshot: () => void = () => {};

  /**
   * Carries out the parent's orders, including earlier ones, and drains when the parent exits. Every second, reports a
   * snapshot, and whether this process uses more than `maxMemory` bytes.
   */
  obey(controls: ChildControls, maxMemory = Number.POSITIVE_INFINITY): void {
    const orphaned = () => {
      controls.log.warn('Parent process exited: draining');
      controls.stop();
    };
    process.on('disconnect', orphaned);
    if (!process.connected) orphaned();
    process.on('message', (order: Order) => {
      if (order.type === 'allow') controls.allow(order.messages);
      else controls[order.type]();
    });
    this.#reportSnapshot = () => {
      const memoryBytes = process.memoryUsage.rss();
      this.report({
        type: 'snapshot',
        snapshot: controls.snapshot(),
        polling: controls.polling(),
        state: controls.state(),
        memoryBytes,
      });
      if (memoryBytes > maxMemory) this.report({ type: 'memory', bytes: memoryBytes });
    };
    this.#reporting = setInterval(this.#reportSnapshot, REPORT_MS);
  }

  report(report: Report): void {
    // If the parent has exited, `orphaned` handles it.
    if (process.connected) process.send?.(report, undefined, undefined, () => {});
  }

  /** Sends the last snapshot, so that no counts are lost. */
  end(): void {
    clearInterval(this.#reporting);
    this.#reportSnapshot();
  }
}
