import { createQueue } from 'sqs-containers';

await createQueue('emails_dead');
await createQueue('emails', { deadLetterQueue: { name: 'emails_dead', maxReceives: 3 } });
await createQueue('invoices.fifo', { contentBasedDeduplication: true });
