/** The CPU time of the four requests that every message takes, step by step leaner. Run: npm run bench -- requests */
import type { LeanAction } from '../src/brokers/sqs/lean-requests.ts';
import { inRounds, median, ROUNDS } from './measure.ts';
import { inOwnProcess } from './own-process.ts';
import { atMost, type Finding, printTable, show } from './report.ts';
import { type Input, type Post, type RequestStep, requestSteps } from './request-steps.ts';
import { type StubProcess, startStub } from './stub.ts';

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
  /** One of each: the work of ten messages that are sent, received, extended and deleted. */
  const sum = (step: RequestStep) => ACTIONS.reduce((total, action) => total + cost(step, action), 0);
  printTable(
    `Requests of ten messages: CPU time of the client process; median of ${ROUNDS} × ${REQUESTS}`,
    ['', ...ACTIONS, 'together', 'to the SDK'],
    STEPS.map((step) => [
      step,
      ...ACTIONS.map((action) => show(cost(step, action), 'µs')),
      show(sum(step), 'µs'),
      show(sum(step) / sum(SDK)),
    ]),
  );
  return [atMost('requests, CPU to the SDK as it is', sum(OURS) / sum(SDK), 0.5)];
}

const ACTIONS: readonly LeanAction[] = [
  'ReceiveMessage',
  'DeleteMessageBatch',
  'ChangeMessageVisibilityBatch',
  'SendMessageBatch',
];

/** Runs in a process of its own. */
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
    // Deleting again is no error; these are not those whose visibility changes.
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
