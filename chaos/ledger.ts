/**
 * The ledger: a file to which all workers append a line when they start and finish a message. Each line is a single write
 * to a file opened for appending, so it survives a kill right after the write, and the lines of all processes are in
 * chronological order.
 */
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { elapsed } from '../harness/clock.ts';

/** `end`: handled successfully. `fail`: the worker threw, so that the message is retried. */
export type LedgerEvent = 'start' | 'end' | 'fail';

/** A message in a worker. The number is in its body; the producer uses each number once. */
export interface NumberedMessage {
  readonly number: number;
  readonly id: string;
  readonly receiveCount: number;
}

export interface LedgerLine extends NumberedMessage {
  readonly event: LedgerEvent;
  /** In milliseconds of `elapsed`. */
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

/** All lines, in order. */
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
