// The part of SMTP that the e-mail example needs: one plain-text mail per connection. Use nodemailer for more.
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

export interface MailServer {
  host: string;
  port: number;
  /** How long the server can be silent, in milliseconds. */
  patience: number;
}

/** The server refused: the message is its reply, which begins with a code. */
export class SmtpError extends Error {
  override readonly name = 'SmtpError';

  /** Whether retrying is pointless: 4xx is temporary, 5xx permanent. */
  get isPermanent(): boolean {
    return this.message.startsWith('5');
  }
}

/** Resolves when the server has accepted the mail. Throws SmtpError, also for a broken connection (421, temporary). */
export async function send(
  { to, subject, text }: Mail,
  from: string,
  { host, port, patience }: MailServer,
  signal: AbortSignal,
): Promise<void> {
  // A line break would start a new command or header.
  if (/[\r\n]/.test(from + to + subject)) throw new SmtpError('553 an address or subject has a line break');

  const socket = createConnection({ host, port, signal });
  socket.setTimeout(patience, () => socket.destroy(new Error(`silent for ${patience} ms`)));
  const broken = new Promise<never>((_, reject) => {
    socket.once('error', (cause) => reject(new SmtpError(`421 ${cause.message}`, { cause })));
  });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();

  const expectReply = async (code: string) => {
    let line: string;
    do {
      ({ value: line = '421 connection closed' } = await Promise.race([lines.next(), broken]));
    } while (line[3] === '-'); // Every line of a reply except the last has a hyphen in this place.
    if (!line.startsWith(code)) throw new SmtpError(line);
  };
  const say = async (command: string, code: string) => {
    socket.write(`${command}\r\n`);
    await expectReply(code);
  };

  try {
    await expectReply('220');
    await say('HELO localhost', '250');
    await say(`MAIL FROM:<${from}>`, '250');
    await say(`RCPT TO:<${to}>`, '250');
    await say('DATA', '354');
    const content = [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, '', text].join('\n');
    // A line with a single dot ends the mail, so lines that begin with a dot get another.
    await say(`${content.replace(/\r\n?|\n/g, '\r\n').replaceAll('\r\n.', '\r\n..')}\r\n.`, '250');
    socket.write('QUIT\r\n');
  } finally {
    socket.destroySoon();
  }
}
