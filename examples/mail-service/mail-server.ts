// Sends through the mail server named in the environment, and retries a task if the server refuses for now.
import { constantBackoff, currentMessage, Retry } from 'sqs-containers';
import { type Mail, SmtpError, send } from '../smtp.ts';

const inAMinute = constantBackoff({ base: 60 });

export async function deliver(mail: Mail): Promise<void> {
  const { SMTP_HOST: host = '127.0.0.1', SMTP_PORT: port = '25' } = process.env;
  try {
    const { signal } = currentMessage();
    await send(mail, 'news@example.org', { host, port: Number(port), patience: 60_000 }, signal);
  } catch (error) {
    // Refused for good: the task fails, comes back after growing delays, and ends up in the dead-letter queue.
    if (!(error instanceof SmtpError) || error.isPermanent) throw error;
    throw new Retry(`No mail to ${mail.to} for now: ${error.message}`, { backoff: inAMinute, cause: error });
  }
}
