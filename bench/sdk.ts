/** A client of the AWS SDK for the stub, set up as in the SDK's documentation. */
import { SQS } from '@aws-sdk/client-sqs';

export function openSdk(endpoint: string): SQS {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  return new SQS({ endpoint, region: 'us-east-1', credentials });
}
