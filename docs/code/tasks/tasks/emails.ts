// tasks/emails.ts
import { taskQueue } from 'sqs-containers';
import * as z from 'zod';

export const emails = taskQueue('emails');

export const sendEmail = emails.task('send_email', async (email: { to: string; subject: string }) => {
  console.log(`${email.subject}, to ${email.to}`);
});

export const remind = emails.task(
  'remind',
  async ({ to, at }) => {
    console.log(`You have a date at ${at.toISOString()}, to ${to}`);
  },
  { schema: z.object({ to: z.email(), at: z.coerce.date<string>() }) },
);
