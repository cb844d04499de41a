// Sends e-mail. If the mail server refuses a mail for now, it is retried after a growing delay; if it refuses it for good, it
// is not retried.
import { currentMessage, TransientError, type WorkerFactory } from 'sqs-containers';
import { type Mail, SmtpError, send } from './smtp.ts';

export const mailer: WorkerFactory<[Mail]> = ({
  host = '127.0.0.1',
  port = '25',
  patience = '60',
  sender,
}) => {
  // If a factory throws, the container exits at start.
  if (!sender) throw new Error('[worker] needs a sender, such as shop@example.org');
  const server = { host, port: Number(port), patience: Number(patience) * 1000 };

  return async (mail) => {
    const { receiveCount, signal } = currentMessage();
    try {
      await send(mail, sender, server, signal);
    } catch (error) {
      if (!(error instanceof SmtpError) || error.isPermanent) throw error;
      // Half a minute, one, two, four, … up to an hour.
      const delay = Math.min(30 * 2 ** (receiveCount - 1), 3600);
      throw new TransientError(`No mail to ${mail.to} for now: ${error.message}`, { delay, cause: error });
    }
  };
};
