import { runWithContext } from 'sqs-containers';
import { emails, sendEmail } from './tasks/emails.ts';

await runWithContext({ remote_addr: '127.0.0.1' }, async () => {
  await sendEmail.delay({ to: 'ann@example.org', subject: 'Hello' });
  await sendEmail.with({ delaySeconds: 5 }).delay({ to: 'ann@example.org', subject: 'Hello' });
});

const hello = sendEmail.bake({ to: 'bob@example.org', subject: 'Hello' });
await hello.delay();

await emails.batch(() => {
  void sendEmail.delay({ to: 'cid@example.org', subject: 'Hello' });
  void sendEmail.delay({ to: 'dan@example.org', subject: 'Hello' });
});

await sendEmail.run({ to: 'eve@example.org', subject: 'Hello' });
