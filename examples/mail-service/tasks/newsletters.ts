// The queue `newsletters`: mail to many people, as fast as the mail server accepts it.
import { currentMessage, taskQueue } from 'sqs-containers';
import type { Mail } from '../../smtp.ts';
import { deliver } from '../mail-server.ts';
import { timed } from '../timed.ts';

export const newsletters = taskQueue('newsletters', { middleware: [timed] });

/** A newsletter to one reader. Mail servers distrust senders that are too fast. */
export const issue = newsletters.task('issue', (mail: Mail) => deliver(mail), {
  rate: { count: 10, seconds: 1 },
});

export interface Notice {
  to: string;
  text: string;
}

/** Collects the notices of five seconds into one mail per reader. */
export const notify = newsletters.batchTask(
  'notify',
  async (notices: readonly Notice[]) => {
    const failed: number[] = [];
    for (const [to, theirs] of Map.groupBy(notices.entries(), ([, notice]) => notice.to)) {
      const text = theirs.map(([, notice]) => notice.text).join('\n');
      await deliver({ to, subject: `${theirs.length} news for you`, text }).catch((error: unknown) => {
        currentMessage().log.warn(`No notices to ${to}`, error);
        failed.push(...theirs.map(([index]) => index));
      });
    }
    // These come back; the others are done.
    return { failed };
  },
  { size: 20, wait: 5 },
);
