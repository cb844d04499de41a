// Sends e-mail over SMTP. What the mail server may accept later comes again, later each time; a refused address does not.
import { currentMessage, TransientError, type WorkerFactory } from 'sqs-containers';
import { type Mail, SmtpError, send } from './smtp.ts';

export const mailer: WorkerFactory<[Mail]> = (config) => {
  const { host = '127.0.0.1', port = '25', sender = 'noreply@example.org' } = config;

  return async (mail) => {
    try {
      await send({ host, port: Number(port), from: sender, ...mail }, currentMessage().signal);
    } catch (error) {
      // 4xx replies and broken connections are the mail server's way of saying "later"; 5xx means never.
      if (error instanceof SmtpError && error.code >= 500) throw error;
      const delay = Math.min(30 * 2 ** (currentMessage().receiveCount - 1), 3600);
      throw new TransientError(`the mail server said: ${(error as Error).message}`, { delay, cause: error });
    }
  };
};
