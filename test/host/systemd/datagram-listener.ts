/** A program that prints the datagrams sent to a Unix socket, its argument, each as JSON on a line. */
import { writeSync } from 'node:fs';
import koffi from 'koffi';
import { socketAddress } from '../../../src/host/systemd/notifier.ts';

const library = koffi.load(null);
const socket = library.func('int socket(int domain, int type, int protocol)');
const bind = library.func('int bind(int fd, const void *address, unsigned int length)');
const recv = library.func('intptr_t recv(int fd, void *data, size_t size, int flags)');

const address = socketAddress(process.argv[2] ?? '');
const descriptor: number = socket(1, 2, 0);
if (bind(descriptor, address, address.length) !== 0) throw new Error(`bind: ${koffi.errno()}`);
writeSync(1, '"listening"\n');
const data = Buffer.alloc(4096);
while (true) {
  const size: number = recv(descriptor, data, data.length, 0);
  writeSync(1, `${JSON.stringify(data.toString('utf8', 0, size))}\n`);
}
