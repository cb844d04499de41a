/**
 * Wrong uses of tasks that the compiler refuses, and forgotten promises that the linter sees. Nothing here runs:
 * `npm run check` fails if one of them is accepted.
 */
import * as z from 'zod';
import { taskQueue } from '../../src/index.ts';

const emails = taskQueue('emails');
const sendEmail = emails.task('send_email', (_: { to: string; copies?: number }) => {});
const remind = emails.task('remind', ({ at }) => void (at satisfies Date), {
  schema: z.object({ to: z.email(), at: z.coerce.date<string>() }),
});
const tidy = emails.task('tidy', (_: { days?: number }) => {});
const index = emails.batchTask('index', (inputs: readonly { id: number }[]) => void inputs);
const sendOnly = emails.task<{ to: string }>('send_only', null);

export async function accepted(): Promise<void> {
  await sendEmail.delay({ to: 'ann@example.org' });
  await sendEmail.with({ delaySeconds: 5 }).run({ to: 'ann@example.org', copies: 2 });
  await remind.delay({ to: 'ann@example.org', at: '2026-11-21' });
  await tidy.delay();
  await index.delay({ id: 1 });
  await sendOnly.delay({ to: 'ann@example.org' });
}

export async function refusedNames(): Promise<void> {
  // @ts-expect-error: the argument is called `to`.
  await sendEmail.delay({ recipient: 'ann@example.org' });
  // @ts-expect-error: there is no argument `subject`.
  await sendEmail.delay({ to: 'ann@example.org', subject: 'Hello' });
  // @ts-expect-error: `to` is missing.
  await sendEmail.delay({});
  // @ts-expect-error: the input is missing.
  await sendEmail.delay();
  // @ts-expect-error: the schema has no `when`.
  await remind.delay({ to: 'ann@example.org', when: '2026-11-21' });
  // @ts-expect-error: the option is called `delaySeconds`.
  await sendEmail.with({ delay: 5 }).delay({ to: 'ann@example.org' });
}

export async function refusedTypes(): Promise<void> {
  // @ts-expect-error: `to` is a text.
  await sendEmail.delay({ to: 1 });
  // @ts-expect-error: senders write what the schema takes, which is a text.
  await remind.delay({ to: 'ann@example.org', at: new Date() });
  // @ts-expect-error: a message has one input of the batch.
  await index.delay([{ id: 1 }]);
  // @ts-expect-error: it is the same to run it here.
  await sendEmail.run({ to: 1 });
  // @ts-expect-error: and to keep it for later.
  sendEmail.bake({ to: 1 });
  // @ts-expect-error: and where the task is only sent.
  await sendOnly.delay({ to: 1 });
}

export function forgottenPromises(): void {
  // biome-ignore lint/nursery/noFloatingPromises: the linter must see this.
  sendEmail.delay({ to: 'ann@example.org' });
  // biome-ignore lint/nursery/noFloatingPromises: the linter must see this.
  sendEmail.with({ delaySeconds: 5 }).delay({ to: 'ann@example.org' });
  // biome-ignore lint/nursery/noFloatingPromises: the linter must see this.
  sendEmail.bake({ to: 'ann@example.org' }).delay();
}
