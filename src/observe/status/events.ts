/**
 * Server-sent events for those who have the page open: the points of the last hour at first, then the status and new
 * points once a second. It is computed once for all, and not at all while nobody listens.
 */
import { type Columns, STEP_MS } from './history.ts';
import type { Monitor } from './monitor.ts';
import type { Status } from './status.ts';

/** The data of an event. */
export interface StatusEvent {
  readonly status: Status;
  /** The last ones: some may have come before. */
  readonly points: Columns;
}

/** Takes the data of an event. */
export type Listener = (data: string) => void;

/** More people than this do not look at one container. */
export const MOST_LISTENERS = 20;
const EVERY_MS = 1_000;
/** For who missed an event or two. */
const NEW_POINTS_MS = 3 * STEP_MS;

export class StatusEvents {
  readonly #monitor: Monitor;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  /** True if no more may listen. */
  get isFull(): boolean {
    return this.#listeners.size >= MOST_LISTENERS;
  }

  /** The listener gets the first event at once. */
  listen(listener: Listener): void {
    this.#timer ??= setInterval(() => this.#tell(), EVERY_MS);
    this.#listeners.add(listener);
    listener(this.#dataSince(0));
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    const data = this.#dataSince(Date.now() - NEW_POINTS_MS);
    for (const listener of this.#listeners) listener(data);
  }

  #dataSince(at: number): string {
    const event: StatusEvent = { status: this.#monitor.status, points: this.#monitor.pointsSince(at) };
    return JSON.stringify(event);
  }
}
