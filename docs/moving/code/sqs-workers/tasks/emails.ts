import { exponentialBackoff, Retry, taskQueue } from 'sqs-containers';

export const emails = taskQueue('emails', {
  backoff: exponentialBackoff({ base: 2, max: 1800 }),
  deadLetterQueue: 'emails_dead',
});

interface Email {
  to: string;
  subject: string;
}

export const sendEmail = emails.task('send_email', async ({ to, subject }: Email) => {
  if (subject === 'busy') throw new Retry();
  console.log(`${subject}, to ${to}`);
});

export const countOpens = emails.batchTask(
  'count_opens',
  async (opens: readonly { email: number }[]) => {
    console.log(`${opens.length} opened`);
  },
  { size: 10 },
);

export const cron = taskQueue('cron').rawTask(async (body, message) => {
  console.log(body, message.id);
});
