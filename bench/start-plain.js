// The baseline for sqs-sequential's start: plain JavaScript that receives once through the AWS SDK.
import { SQS } from '@aws-sdk/client-sqs';

const sqs = new SQS();
await sqs.receiveMessage({ QueueUrl: process.argv[2], MaxNumberOfMessages: 10, WaitTimeSeconds: 20 });
