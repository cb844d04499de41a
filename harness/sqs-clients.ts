/** Clients for a stub or an emulator of SQS, neither of which checks credentials: the AWS SDK, and bare HTTP. */
import { Agent, request } from 'node:http';
import { SQS } from '@aws-sdk/client-sqs';

/** A client of the AWS SDK, set up as in the SDK's documentation. */
export function openSdk(endpoint: string): SQS {
  const credentials = { accessKeyId: 'harness', secretAccessKey: 'harness' };
  return new SQS({ endpoint, region: 'us-east-1', credentials });
}

export interface BareHttp {
  /** Sends a request; resolves to the JSON of the answer. */
  post(action: string, input: object): Promise<Record<string, unknown>>;
  close(): void;
}

/** SQS's protocol with nothing around it: unsigned POSTs of JSON over one connection of node:http. */
export function openBareHttp(url: string): BareHttp {
  const agent = new Agent({ keepAlive: true });
  const post = (action: string, input: object) =>
    new Promise<Record<string, unknown>>((resolve, reject) => {
      const body = JSON.stringify(input);
      const headers = {
        'content-type': 'application/x-amz-json-1.0',
        'content-length': Buffer.byteLength(body),
        'x-amz-target': `AmazonSQS.${action}`,
      };
      const sent = request(url, { agent, method: 'POST', headers }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>));
      });
      sent.on('error', reject);
      sent.end(body);
    });
  return { post, close: () => agent.destroy() };
}
