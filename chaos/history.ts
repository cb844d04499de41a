/** The events of a run: a timeline to read, and incidents, with which the verdict explains repeats. */
import { elapsed } from '../harness/clock.ts';
import type { Starvation } from './starvation.ts';

/** A possible reason why a message was handled again. Times are in milliseconds of `elapsed`. */
export interface Incident {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  /** The affected process; undefined if the incident affected the broker. */
  readonly pid?: number | undefined;
}

/** An incident that chaos did not cause: the machine was too busy. */
export const STARVED = 'starved by the machine';

export interface Note {
  readonly at: number;
  readonly text: string;
}

export class History {
  readonly startedAt = elapsed();
  readonly notes: Note[] = [];
  readonly incidents: Incident[] = [];
  /** The broker's current faults, with their start. */
  readonly #current = new Map<string, number>();
  #lastFaultAt = Number.NEGATIVE_INFINITY;

  now(): number {
    return elapsed();
  }

  note(text: string): void {
    this.notes.push({ at: elapsed(), text });
  }

  incident(what: string, { pid, from = elapsed() }: { pid?: number | undefined; from?: number }): void {
    this.incidents.push({ what, from, to: elapsed(), pid });
  }

  /**
   * Records that the clock of the processes jumped at this time, which may be some time ago. `mattersTo` is true if the
   * broker uses this clock.
   */
  clockJumped(what: string, at: number, mattersTo: boolean): void {
    this.notes.push({ at, text: what });
    if (mattersTo) this.incidents.push({ what, from: at, to: at });
  }

  /** Records that the machine starved processes that were not stopped. `own` is this process, which runs the proxy. */
  starved(starvations: readonly Starvation[], own: number): void {
    for (const { pid, from, to } of starvations) {
      const wasStopped = this.incidents.some(
        (incident) => incident.pid === pid && incident.from < to && incident.to > from,
      );
      if (!wasStopped) this.incidents.push({ what: STARVED, from, to, pid: pid === own ? undefined : pid });
    }
  }

  /** Records the start of a broker fault. */
  begin(what: string): void {
    this.note(`${what} starts`);
    this.#current.set(what, elapsed());
  }

  /** Records the end of a broker fault. */
  end(what: string): void {
    const from = this.#current.get(what);
    if (from === undefined) return;
    this.note(`${what} ends`);
    this.#current.delete(what);
    this.#lastFaultAt = elapsed();
    this.incident(what, { from });
  }

  /** Whether the broker has a fault now or had one recently. */
  isUnderFault(): boolean {
    return this.#current.size > 0 || elapsed() - this.#lastFaultAt < JUST_NOW_MS;
  }
}

/** How long after a fault a starting process may still give up, in milliseconds. */
const JUST_NOW_MS = 15_000;
