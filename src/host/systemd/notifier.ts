/**
 * Sends to systemd's notification socket (sd_notify(3)): as datagrams from this process or, without koffi, with the
 * program `systemd-notify`. If that is missing, too, it logs a warning, and the container works without notifications.
 */
import { execFile } from 'node:child_process';
import { getSystemErrorMessage, promisify } from 'node:util';
import type { Logger } from '../../observe/logging/loggers.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

export interface Notifier {
  /** Sends assignments such as `READY=1`, in order. Logs the first failure. */
  send(...assignments: readonly string[]): void;
  /** Resolves when everything has been sent. */
  flush(): Promise<void>;
}

/** Opens a notifier for the socket at a path or with an abstract name (`@name`). */
export async function openNotifier(path: string, log: Logger): Promise<Notifier> {
  let sendDatagram: SendDatagram;
  try {
    sendDatagram = await datagramsTo(path);
  } catch (error) {
    log.warn(
      `Notifying systemd with the program systemd-notify, which is slower and needs NotifyAccess=all in the unit, because koffi cannot be loaded: ${firstLine(error)}`,
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
    if (!warned) log.warn(`Cannot notify systemd: ${firstLine(error)}`);
    warned = true;
  };
}

function firstLine(error: unknown): string {
  return (error as Error).message.split('\n', 1)[0] ?? '';
}

/** Sends a text as a datagram, synchronously. Throws the system's error if it cannot be delivered. */
export type SendDatagram = (text: string) => void;

/**
 * Prepares sending to the Unix socket at a path or with a name in the abstract namespace (`@name`). Node.js cannot send
 * Unix datagrams, so this calls the C library through koffi. Linux only.
 * Throws if koffi is not installed or does not work on this machine.
 */
export async function datagramsTo(path: string): Promise<SendDatagram> {
  const { default: koffi } = await import('koffi');
  // The program's own symbols, from whichever C library it is linked to.
  const library = koffi.load(null);
  const socket = library.func('int socket(int domain, int type, int protocol)');
  const sendto = library.func(
    'intptr_t sendto(int fd, const void *data, size_t size, int flags, const void *address, unsigned int length)',
  );
  const close = library.func('int close(int fd)');
  const address = socketAddress(path);
  const failure = () => new Error(`${path}: ${getSystemErrorMessage(-koffi.errno())}`);
  return (text) => {
    const descriptor: number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) throw failure();
    const data = Buffer.from(text);
    try {
      const sent: number = sendto(descriptor, data, data.length, MSG_NOSIGNAL, address, address.length);
      if (sent < 0) throw failure();
    } finally {
      close(descriptor);
    }
  };
}

/**
 * A `struct sockaddr_un`: the family in native byte order, and the path. An abstract name starts with a zero byte.
 *
 *     socketAddress('@n') // <01 00 00 6e> on a little-endian machine
 */
export function socketAddress(path: string): Buffer {
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
  return Buffer.concat([family, Buffer.from(path.replace(/^@/, '\0'))]);
}
