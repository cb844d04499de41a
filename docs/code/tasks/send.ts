import { emails, remind, sendEmail } from './tasks/emails.ts';

await sendEmail.delay({ to: 'ann@example.org', subject: 'Hello' }); // { messageId, body }
await sendEmail.with({ delaySeconds: 60 }).delay({ to: 'ann@example.org', subject: 'Hello again' });
await remind.delay({ to: 'ann@example.org', at: '2026-11-21T12:00Z' });

// Runs the function immediately, without a queue:
await sendEmail.run({ to: 'bob@example.org', subject: 'Hello' });

// Prepares a call for later, with its input:
const hello = sendEmail.bake({ to: 'cid@example.org', subject: 'Hello' });
await hello.delay({ delaySeconds: 5 });

// Many: ten to a request, and one error for all calls that could not be sent.
await emails.batch(() => {
  for (const to of ['dan@example.org', 'eve@example.org']) void sendEmail.delay({ to, subject: 'News' });
});
