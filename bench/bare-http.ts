/** SQS's protocol with nothing around it: unsigned POSTs of JSON over one connection of node:http. */
import { Agent, request } from 'node:http';

export interface BareHttp {
  /** Sends a request; resolves to the JSON of the answer. */
  post(action: string, input: object): Promise<Record<string, unknown>>;
  close(): void;
}

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
