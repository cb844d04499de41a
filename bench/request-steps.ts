/** The same four requests of SQS on the way from the SDK to nothing but HTTP, each step without something of the last. */
import { SQS } from '@aws-sdk/client-sqs';
import { SqsClient } from '../src/brokers/sqs/client.ts';
import { type LeanAction, LeanRequests } from '../src/brokers/sqs/lean-requests.ts';
import { resolveSettings } from '../src/brokers/sqs/settings.ts';
import { openBareHttp } from './bare-http.ts';
import { openSdk } from './sdk.ts';

export type Input = { readonly QueueUrl: string } & Readonly<Record<string, unknown>>;

/** Sends a request; resolves to what the answer says. */
export type Post = (action: LeanAction, input: Input) => Promise<object>;

const REGION = 'us-east-1';

/** Each opens a client of the endpoint, by what it is called in the table. */
export const requestSteps = {
  'the SDK as it is': (url: string) => throughSdk(openSdk(url)),
  'without MD5': (url: string) => throughSdk(withoutMd5(url)),
  'no middlewares: JSON, its signer, its connections': (url: string) => signedBySdk(url),
  'our own signer': (url: string) => signedByUs(url),
  'with our deadlines and errors: what the containers use': (url: string) => throughOurClient(url),
  'bare HTTP, unsigned': (url: string): Post => openBareHttp(url).post,
} satisfies Record<string, (url: string) => Post | Promise<Post>>;

export type RequestStep = keyof typeof requestSteps;

function throughSdk(sqs: SQS): Post {
  const methods = {
    ReceiveMessage: sqs.receiveMessage,
    DeleteMessageBatch: sqs.deleteMessageBatch,
    ChangeMessageVisibilityBatch: sqs.changeMessageVisibilityBatch,
    SendMessageBatch: sqs.sendMessageBatch,
  } as unknown as Record<LeanAction, (input: Input) => Promise<object>>;
  return (action, input) => methods[action].call(sqs, input);
}

function withoutMd5(endpoint: string): SQS {
  const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
  return new SQS({ endpoint, region: REGION, credentials, md5: false });
}

/** A request as the protocol has it, signed by the SDK's signer and sent by the SDK's HTTP handler. */
async function signedBySdk(url: string): Promise<Post> {
  const sqs = withoutMd5(url);
  const signer = await sqs.config.signer();
  const { protocol, hostname, port, host } = new URL(url);
  return async (action, input) => {
    const unsigned = {
      method: 'POST',
      protocol,
      hostname,
      port: Number(port),
      path: '/',
      query: {},
      headers: { 'content-type': 'application/x-amz-json-1.0', host, 'x-amz-target': `AmazonSQS.${action}` },
      body: JSON.stringify(input),
    };
    const { response } = await sqs.config.requestHandler.handle(await signer.sign(unsigned));
    const chunks: Buffer[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return JSON.parse(Buffer.concat(chunks).toString()) as object;
  };
}

function signedByUs(url: string): Post {
  const sqs = withoutMd5(url);
  const requests = new LeanRequests(REGION, url);
  const { signal: abortSignal } = new AbortController();
  return (action, input) => requests.send<object>(sqs, { action, input, abortSignal });
}

async function throughOurClient(url: string): Promise<Post> {
  const client = new SqsClient(await resolveSettings({ endpoint: url, emulator: true }));
  return (action, input) => client.leanRequest<object>({ action, queue: 'bench' }, input);
}
