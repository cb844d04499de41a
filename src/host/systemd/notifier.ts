/**
 * The way to systemd's notification socket (sd_notify(3)): datagrams of this process; where koffi is missing, the program
 * `systemd-notify`; without that, too, a warning, and the container works all the same.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from '../../observe/logging/loggers.ts';
import { datagramsTo, type SendDatagram } from './datagrams.ts';

export interface Notifier {
  /** Sends assignments such as `READY=1`, in order. What fails is logged, the first time. */
  send(...assignments: readonly string[]): void;
  /** Resolves when all that was sent is on its way. */
  flush(): Promise<void>;
}

/** Finds the way to the socket at a path, or of an abstract name (`@name`). */
export async function openNotifier(path: string, log: Logger): Promise<Notifier> {
  let sendDatagram: SendDatagram;
  try {
    sendDatagram = await datagramsTo(path);
  } catch (error) {
    log.warn(
      `systemd is told by the program systemd-notify, which takes longer and needs NotifyAccess=all in the unit, because koffi cannot be used: ${firstLine(error)}`,
    );
    return new CommandNotifier(path, log);
  }
  return new DatagramNotifier(sendDatagram, log);
}

class DatagramNotifier implements Notifier {
  readonly #sendDatagram: SendDatagram;
  readonly #warn: (error: unknown) => void;

  constructor(sendDatagram: SendDatagram, log: Logger) {
    this.#sendDatagram = sendDatagram;
    this.#warn = warningOnce(log);
  }

  send(...assignments: readonly string[]): void {
    try {
      this.#sendDatagram(assignments.join('\n'));
    } catch (error) {
      this.#warn(error);
    }
  }

  async flush(): Promise<void> {}
}

const run = promisify(execFile);

class CommandNotifier implements Notifier {
  readonly #path: string;
  readonly #warn: (error: unknown) => void;
  /** One at a time: two programs could overtake each other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#warn = warningOnce(log);
  }

  send(...assignments: readonly string[]): void {
    const env = { ...process.env, NOTIFY_SOCKET: this.#path };
    this.#last = this.#last.then(() => run('systemd-notify', assignments, { env })).catch(this.#warn);
  }

  async flush(): Promise<void> {
    await this.#last;
  }
}

function warningOnce(log: Logger): (error: unknown) => void {
  let warned = false;
  return (error) => {
    if (!warned) log.warn(`systemd cannot be told how the container is: ${firstLine(error)}`);
    warned = true;
  };
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0] ?? '';
}
