// Middleware runs around the handler of each task. This one prints how long the handler took, and for which request.
import { currentContext, type Middleware } from 'sqs-containers';

export const timed: Middleware = async ({ queue, task }, next) => {
  const startedAt = performance.now();
  await next();
  const milliseconds = Math.round(performance.now() - startedAt);
  console.log(`${queue}.${task} took ${milliseconds} ms, for the request ${currentContext().requestId}`);
};
