// A minimal SMTP client for the e-mail example: one mail to a connection, plain text. Use nodemailer for more.
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

/** A reply of the server that is not the one hoped for: 4xx for now, 5xx for good. */
export class SmtpError extends Error {
  override readonly name = 'SmtpError';
  readonly code: number;

  constructor(reply: string) {
    super(reply);
    this.code = Number(reply.slice(0, 3));
  }
}

export async function send(
  mail: Mail & { host: string; port: number; from: string },
  signal: AbortSignal,
): Promise<void> {
  const { host, port, from, to, subject, text } = mail;
  // An address or subject with a line break would be a command of its own.
  for (const line of [from, to, subject])
    if (/[\r\n]/.test(line)) throw new SmtpError('553 line break in a header');
  const socket = createConnection({ host, port, signal });
  const failed = new Promise<never>((_, reject) => socket.once('error', reject));
  const replies = createInterface({ input: socket })[Symbol.asyncIterator]();
  const expectReply = async (code: string) => {
    const { value: reply = '421 connection closed' } = await Promise.race([replies.next(), failed]);
    if (!reply.startsWith(code)) throw new SmtpError(reply);
  };
  const command = async (line: string, code: string) => {
    socket.write(`${line}\r\n`);
    await expectReply(code);
  };
  try {
    await expectReply('220');
    await command('HELO localhost', '250');
    await command(`MAIL FROM:<${from}>`, '250');
    await command(`RCPT TO:<${to}>`, '250');
    await command('DATA', '354');
    const body = text.replace(/\r?\n/g, '\r\n').replace(/^\./gm, '..');
    await command(`From: ${from}\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\n${body}\r\n.`, '250');
    socket.write('QUIT\r\n');
  } finally {
    socket.destroySoon();
  }
}
