// The queue `mails`: mail to one person, sent immediately.
import { taskQueue } from 'sqs-containers';
import * as z from 'zod';
import { deliver } from '../mail-server.ts';
import { timed } from '../timed.ts';

const mails = taskQueue('mails', { middleware: [timed], deadLetterQueue: 'mails-failed' });

/** The input of `welcome.delay(…)`, checked when it is sent and again before the handler runs. */
const newcomer = z.object({ to: z.email(), name: z.string().trim().min(1) });

export const welcome = mails.task(
  'welcome',
  async ({ to, name }) => {
    await deliver({ to, subject: `Welcome, ${name}!`, text: 'It is good to have you here.' });
  },
  { schema: newcomer },
);
