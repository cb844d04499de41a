/**
 * Incorrect uses of tasks that the compiler rejects, and forgotten promises that the linter reports. This code does not
 * run; `npm run check` fails if any of it is accepted.
 */
import * as z from 'zod';
import { jsonCodec, taskQueue } from '../../src/index.ts';

const emails = taskQueue('emails');
const sendEmail = emails.task('send_email', (_: { to: string; copies?: number }) => {});
const remind = emails.task('remind', ({ at }) => void (at satisfies Date), {
  schema: z.object({ to: z.email(), at: z.coerce.date<string>() }),
});
const tidy = emails.task('tidy', (_: { days?: number }) => {});
const index = emails.batchTask('index', (inputs: readonly { id: number }[]) => void inputs);
const at = z.object({ at: z.coerce.date<string>() });
const count = emails.batchTask('count', (inputs) => void (inputs[0]?.at satisfies Date | undefined), {
  schema: at,
});
const uploaded = emails.rawTask((upload) => void (upload.at satisfies Date), {
  codec: jsonCodec,
  schema: at,
});
const purge = emails.task('purge', () => {});
const sendOnly = emails.task<{ to: string }>('send_only', null);

export async function accepted(): Promise<void> {
  await sendEmail.delay({ to: 'ann@example.org' });
  await sendEmail.with({ delaySeconds: 5 }).run({ to: 'ann@example.org', copies: 2 });
  await remind.delay({ to: 'ann@example.org', at: '2026-11-21' });
  await tidy.delay();
  await index.delay({ id: 1 });
  await sendOnly.delay({ to: 'ann@example.org' });
  await count.delay({ at: '2026-11-21' });
  await uploaded.delay({ at: '2026-11-21' });
  await purge.delay();
}

export async function refusedNames(): Promise<void> {
  // @ts-expect-error: the handler takes no arguments.
  await purge.delay({ days: 7 });
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
  // @ts-expect-error: `to` is a string.
  await sendEmail.delay({ to: 1 });
  // @ts-expect-error: senders pass the schema's input type, a string.
  await remind.delay({ to: 'ann@example.org', at: new Date() });
  // @ts-expect-error: also in a batch.
  await count.delay({ at: new Date() });
  // @ts-expect-error: a message contains one input of the batch.
  await index.delay([{ id: 1 }]);
  // @ts-expect-error: also for run.
  await sendEmail.run({ to: 1 });
  // @ts-expect-error: also for bake.
  sendEmail.bake({ to: 1 });
  // @ts-expect-error: also if the task is only sent.
  await sendOnly.delay({ to: 1 });
}

export function refusedHandlers(): void {
  // @ts-expect-error: a task takes one object with named arguments.
  emails.task('positional', (_: string) => {});
  // @ts-expect-error: and not a second one.
  emails.task('two', (_: { to: string }, __: number) => {});
  // @ts-expect-error: the handler gets the schema's output type, a Date.
  emails.task('other', (_: { at: string }) => {}, { schema: at });
  // @ts-expect-error: also in a batch task,
  emails.batchTask('others', (_: readonly { at: string }[]) => {}, { schema: at });
  // @ts-expect-error: and in a raw task.
  emails.rawTask((_: { at: string }) => {}, { codec: jsonCodec, schema: at });
}

export function forgottenPromises(): void {
  // biome-ignore lint/nursery/noFloatingPromises: the linter must report this.
  sendEmail.delay({ to: 'ann@example.org' });
  // biome-ignore lint/nursery/noFloatingPromises: the linter must report this.
  sendEmail.with({ delaySeconds: 5 }).delay({ to: 'ann@example.org' });
  // biome-ignore lint/nursery/noFloatingPromises: the linter must report this.
  sendEmail.bake({ to: 'ann@example.org' }).delay();
}
