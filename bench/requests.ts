/**
 * The CPU time of the four requests that every message needs, in steps from the SDK down to bare HTTP. Each step leaves out
 * something more. Run: npm run bench -- requests
 */
import { SQS } from '@aws-sdk/client-sqs';
import { inOwnProcess } from '../harness/own-process.ts';
import { atMost, type Finding, printTable, show } from '../harness/report.ts';
import { openBareHttp, openSdk } from '../harness/sqs-clients.ts';
import { type StubProcess, startStub } from '../harness/sqs-stub-process.ts';
import { inRounds, median, ROUNDS } from '../harness/statistics.ts';
import { SqsClient } from '../src/brokers/sqs/client.ts';
import { type LeanAction, LeanRequests } from '../src/brokers/sqs/lean-requests.ts';
import { resolveSettings } from '../src/brokers/sqs/settings.ts';

type Input = { readonly QueueUrl: string } & Readonly<Record<string, unknown>>;

/** Sends a request; resolves to the response. */
type Post = (action: LeanAction, input: Input) => Promise<object>;

const REGION = 'us-east-1';

/** Opens a client for the endpoint, by its name in the table. */
const requestSteps = {
  'the unmodified SDK': (url: string) => throughSdk(openSdk(url)),
  'without MD5': (url: string) => throughSdk(withoutMd5(url)),
  'no middleware: JSON, its signer, its connections': (url: string) => signedBySdk(url),
  'our own signer': (url: string) => signedByUs(url),
  'with our deadlines and errors: what the containers use': (url: string) => throughOurClient(url),
  'bare HTTP, unsigned': (url: string): Post => openBareHttp(url).post,
} satisfies Record<string, (url: string) => Post | Promise<Post>>;

type RequestStep = keyof typeof requestSteps;

const REQUESTS = 1_500;
const WARM_UPS = 500;
const BATCH = Array.from({ length: 10 }, (_, index) => String(index));
const STEPS = Object.keys(requestSteps) as RequestStep[];
const [SDK] = STEPS as [RequestStep];
const OURS: RequestStep = 'with our deadlines and errors: what the containers use';

type Received = { readonly Messages: readonly { readonly ReceiptHandle: string }[] };

/** Microseconds of CPU time by action. */
type Costs = Record<LeanAction, number>;

export async function bench(): Promise<Finding[]> {
  const rounds = await inRounds(STEPS, (step) =>
    inOwnProcess<Costs>(import.meta.filename, 'measure', { step }),
  );
  const cost = (step: RequestStep, action: LeanAction) =>
    median((rounds.get(step) ?? []).map((costs) => costs[action]));
  /** One request of each kind: the cost of sending, receiving, extending and deleting ten messages. */
  const sum = (step: RequestStep) => ACTIONS.reduce((total, action) => total + cost(step, action), 0);
  printTable(
    `Requests with ten messages: CPU time of the client process; median of ${ROUNDS} × ${REQUESTS}`,
    ['', ...ACTIONS, 'together', 'vs. SDK'],
    STEPS.map((step) => [
      step,
      ...ACTIONS.map((action) => show(cost(step, action), 'µs')),
      show(sum(step), 'µs'),
      show(sum(step) / sum(SDK)),
    ]),
  );
  return [atMost('requests, CPU vs. the unmodified SDK', sum(OURS) / sum(SDK), 0.5)];
}

const ACTIONS: readonly LeanAction[] = [
  'ReceiveMessage',
  'DeleteMessageBatch',
  'ChangeMessageVisibilityBatch',
  'SendMessageBatch',
];

/** Runs in its own process. */
export async function measure({ step }: { readonly step: RequestStep }): Promise<Costs> {
  const stub = await startStub(0, BATCH.length * (REQUESTS + WARM_UPS + 1));
  const post = await requestSteps[step](stub.url);
  const inputs = await inputsFor(post, stub);
  const costs: Partial<Costs> = {};
  for (const action of ACTIONS) costs[action] = await costOf(() => post(action, inputs[action]));
  await stub.stop();
  return costs as Costs;
}

async function costOf(request: () => Promise<unknown>): Promise<number> {
  for (let count = 0; count < WARM_UPS; count += 1) await request();
  const cpu = process.cpuUsage();
  for (let count = 0; count < REQUESTS; count += 1) await request();
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / REQUESTS;
}

async function inputsFor(
  post: Post,
  { queueUrl: QueueUrl }: StubProcess,
): Promise<Record<LeanAction, Input>> {
  const ReceiveMessage = {
    QueueUrl,
    MaxNumberOfMessages: BATCH.length,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  };
  const { Messages } = (await post('ReceiveMessage', ReceiveMessage)) as Received;
  const handles = Messages.map(({ ReceiptHandle }) => ReceiptHandle);
  const entries = handles.map((ReceiptHandle, index) => ({ Id: String(index), ReceiptHandle }));
  return {
    ReceiveMessage,
    // Deleting a message twice is not an error. These are not the messages whose visibility changes.
    DeleteMessageBatch: {
      QueueUrl,
      Entries: entries.map(({ Id, ReceiptHandle }) => ({ Id, ReceiptHandle: `${ReceiptHandle}0` })),
    },
    ChangeMessageVisibilityBatch: {
      QueueUrl,
      Entries: entries.map((entry) => ({ ...entry, VisibilityTimeout: 600 })),
    },
    SendMessageBatch: { QueueUrl, Entries: BATCH.map((Id) => ({ Id, MessageBody: '[[1,2,3],{}]' })) },
  };
}

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

/** A plain protocol request, signed by the SDK's signer and sent by the SDK's HTTP handler. */
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
