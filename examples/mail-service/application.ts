// The application: it sends tasks, and never waits for a mail server.
//
//     export SQS_CONTAINERS_BROKER=sqlite:examples/mail-service/queues.db
//     node examples/mail-service/application.ts ann@example.org Ann
import { randomUUID } from 'node:crypto';
import { closeProducers, runWithContext } from 'sqs-containers';
import { welcome } from './tasks/mails.ts';
import { issue, newsletters } from './tasks/newsletters.ts';

const CURRENT = { subject: 'News of November', text: 'It has become dark.' };

/** Signs up a user: sends a welcome immediately, and the current newsletter ten minutes later. */
export async function signUp(to: string, name: string, requestId: string = randomUUID()): Promise<void> {
  // All messages sent in here carry the id, and so do the messages that their tasks send.
  await runWithContext({ requestId }, async () => {
    await welcome.delay({ to, name });
    await issue.with({ delaySeconds: 600 }).delay({ to, ...CURRENT });
  });
}

/** Sends the newsletter to all readers: ten messages to a request, and one error for all that could not be sent. */
export async function publish(readers: readonly string[]): Promise<void> {
  await newsletters.batch(() => {
    for (const to of readers) void issue.delay({ to, ...CURRENT });
  });
}

if (import.meta.main) {
  const [to = '', name = ''] = process.argv.slice(2);
  await signUp(to, name);
  await closeProducers();
}
