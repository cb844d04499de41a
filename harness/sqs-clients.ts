/** Clients for the SQS stub or emulator, which do not check credentials: the AWS SDK and bare HTTP. */
import { Agent, request } from 'node:http';
import { SQS } from '@aws-sdk/client-sqs';

/** A client of the AWS SDK, set up as in the SDK's documentation. */
export function openSdk(endpoint: string): SQS {
  const credentials = { accessKeyId: 'harness', secretAccessKey: 'harness' };
  return new SQS({ endpoint, region: 'us-east-1', credentials });
}

export interface BareHttp {
  /** Sends a request; resolves to the JSON of the response. */
  post(action: string, input: object): Promise<Record<string, unknown>>;
  close(): void;
}

/** The bare SQS protocol: unsigned JSON POSTs over one node:http connection. */
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
