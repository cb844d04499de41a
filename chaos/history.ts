/** What happened in a run, for people (the timeline) and for the verdict, which explains repeats by the incidents. */
import { elapsed } from '../harness/clock.ts';
import type { Starvation } from './starvation.ts';

/** Something that may be why a message is handled again. Times are milliseconds of `elapsed`. */
export interface Incident {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  /** The process that it happened to; undefined: it happened to the broker. */
  readonly pid?: number | undefined;
}

/** What is an incident without anybody's doing: the machine was too busy. */
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
   * The clock of the processes jumped at this time, by itself: nobody may have come to say so at once. `mattersTo` says
   * whether the broker goes by it.
   */
  clockJumped(what: string, at: number, mattersTo: boolean): void {
    this.notes.push({ at, text: what });
    if (mattersTo) this.incidents.push({ what, from: at, to: at });
  }

  /** The machine did not let processes run, nobody having stopped them; this one (`own`) has the broker's proxy in it. */
  starved(starvations: readonly Starvation[], own: number): void {
    for (const { pid, from, to } of starvations) {
      const wasStopped = this.incidents.some(
        (incident) => incident.pid === pid && incident.from < to && incident.to > from,
      );
      if (!wasStopped) this.incidents.push({ what: STARVED, from, to, pid: pid === own ? undefined : pid });
    }
  }

  /** A fault of the broker begins. */
  begin(what: string): void {
    this.note(`${what} begins`);
    this.#current.set(what, elapsed());
  }

  /** It is over. */
  end(what: string): void {
    const from = this.#current.get(what);
    if (from === undefined) return;
    this.note(`${what} ends`);
    this.#current.delete(what);
    this.#lastFaultAt = elapsed();
    this.incident(what, { from });
  }

  /** Whether the broker has, or has just had, a fault. */
  isUnderFault(): boolean {
    return this.#current.size > 0 || elapsed() - this.#lastFaultAt < JUST_NOW_MS;
  }
}

/** How long a process may take to give up on its start after a fault, in milliseconds. */
const JUST_NOW_MS = 15_000;
