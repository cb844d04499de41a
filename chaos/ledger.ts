/**
 * The ledger: a file outside the containers, to which their workers append a line when the handling of a message starts and
 * when it ends. A line is one write to a file that is open for appending. So it outlasts the process that is killed after
 * it, and the order of the lines is that of what happened, in all processes.
 */
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { elapsed } from '../harness/clock.ts';

/** `end`: handled well. `fail`: the worker threw, to have the message again. */
export type LedgerEvent = 'start' | 'end' | 'fail';

/** A message as a worker has it. The number is in its body; the producer gives each only once. */
export interface NumberedMessage {
  readonly number: number;
  readonly id: string;
  readonly receiveCount: number;
}

export interface LedgerLine extends NumberedMessage {
  readonly event: LedgerEvent;
  /** Milliseconds of `elapsed`. */
  readonly at: number;
  readonly pid: number;
}

export class Ledger {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(event: LedgerEvent, { number, id, receiveCount }: NumberedMessage): void {
    writeSync(this.#file, `${event} ${elapsed()} ${process.pid} ${number} ${id} ${receiveCount}\n`);
  }
}

/** Everything that was written, in its order. */
export function readLedger(path: string): LedgerLine[] {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [event, at, pid, number, id = '', receiveCount] = line.split(' ');
      return {
        event: event as LedgerEvent,
        at: Number(at),
        pid: Number(pid),
        number: Number(number),
        id,
        receiveCount: Number(receiveCount),
      };
    });
}
