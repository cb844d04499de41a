/** Datagrams to a Unix socket, which Node.js itself cannot send: the C library does, called through koffi. */
import { getSystemErrorMessage } from 'node:util';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Sends a text before it returns. Throws the system's reason if nobody takes it. */
export type SendDatagram = (text: string) => void;

/**
 * Makes ready to send to the socket at a path, or of a name in the abstract namespace (`@name`). Linux only.
 * Throws if koffi is not installed or does not run on this machine.
 */
export async function datagramsTo(path: string): Promise<SendDatagram> {
  const { default: koffi } = await import('koffi');
  // The program's own symbols: of whatever C library it is linked to.
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
 * A `struct sockaddr_un`: the family in the machine's byte order, and the path. A name begins with a zero byte.
 *
 *     socketAddress('@n') // <01 00 00 6e> on a little-endian machine
 */
export function socketAddress(path: string): Buffer {
  const family = Buffer.from(Uint16Array.of(AF_UNIX).buffer);
  return Buffer.concat([family, Buffer.from(path.replace(/^@/, '\0'))]);
}
