import { createQueue } from 'sqs-containers';

await createQueue('emails-failed');
await createQueue('emails', {
  visibilityTimeout: 60,
  deadLetterQueue: { name: 'emails-failed', maxReceives: 8 },
});
await createQueue('orders.fifo', { contentBasedDeduplication: true });
