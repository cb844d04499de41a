// What sqs-sequential's start is compared with: plain JavaScript that receives once through the AWS SDK.
import { SQS } from '@aws-sdk/client-sqs';

const sqs = new SQS();
await sqs.receiveMessage({ QueueUrl: process.argv[2], MaxNumberOfMessages: 10, WaitTimeSeconds: 20 });
