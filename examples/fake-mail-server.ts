// A mail server for specs: on a real port, it accepts mails and answers as the spec says.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export class FakeMailServer {
  /** The mails that it accepted, as they were sent. */
  readonly mails: string[] = [];
  /** Its answer to a recipient's address, or that it is silent or hangs up. */
  answer: `${number} ${string}` | 'silence' | 'hang up' = '250 fine';
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => {
    this.#sockets.add(socket);
    void this.#converse(socket).catch(() => {}); // A client that disconnects is not an error here.
  });

  /** Starts the server on a free local port; resolves to the port. */
  async start(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #converse(socket: Socket): Promise<void> {
    const say = (reply: string) => socket.write(`${reply}\r\n`);
    let mail: string[] | undefined;
    say('220-welcome\r\n220 in two lines');
    for await (const line of createInterface({ input: socket })) {
      if (mail && line !== '.') {
        mail.push(line);
      } else if (mail) {
        this.mails.push(mail.join('\n'));
        mail = undefined;
        say('250 accepted');
      } else if (line === 'DATA') {
        mail = [];
        say('354 go ahead');
      } else if (!line.startsWith('RCPT')) {
        say('250 fine');
      } else if (this.answer === 'hang up') {
        socket.destroy();
      } else if (this.answer !== 'silence') {
        say(this.answer);
      }
    }
  }
}
