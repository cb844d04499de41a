import { currentContext, type Middleware, runWithContext, taskQueue } from 'sqs-containers';

const timed: Middleware = async ({ queue, task }, next) => {
  const startedAt = performance.now();
  await next();
  const { requestId } = currentContext();
  console.log(`${queue}.${task} took ${performance.now() - startedAt} ms, for the request ${requestId}`);
};

const reports = taskQueue('reports', { middleware: [timed] });
export const count = reports.task('count', async () => {});

await runWithContext({ requestId: 'r1' }, () => count.delay());
