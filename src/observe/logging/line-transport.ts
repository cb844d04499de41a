/** What winston hands its records to: formats one and writes it, with a priority for systemd's journal. */
import Transport from 'winston-transport';
import type { Destination } from './destination.ts';
import type { LogFormat, LogRecord } from './formats.ts';
import { withPriority } from './journal.ts';

export class LineTransport extends Transport {
  readonly #destination: Destination;
  readonly #format: LogFormat;
  readonly #isJournal: boolean;
  /** Why the last record could not be written, if it could not. */
  failure: Error | undefined;

  constructor(destination: Destination, format: LogFormat, environment: NodeJS.ProcessEnv) {
    super();
    this.#destination = destination;
    this.#format = format;
    this.#isJournal = destination.isJournal(environment);
  }

  /** Called by winston. A log that cannot be written stops nothing: `failure` is for those who must know. */
  override log(record: LogRecord, next: () => void): void {
    try {
      const text = this.#format(record);
      this.#destination.write(this.#isJournal ? withPriority(text, record.level) : text);
      this.failure = undefined;
    } catch (error) {
      this.failure = error as Error;
    }
    next();
  }
}
