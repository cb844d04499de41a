import { constantBackoff, Retry, taskQueue } from 'sqs-containers';

const reports = taskQueue('reports', { backoff: constantBackoff({ base: 60 }) });

export const print = reports.task('print', async ({ paper }: { paper: boolean }) => {
  if (!paper) throw new Retry('no paper', { backoff: constantBackoff({ base: 600 }) });
});
