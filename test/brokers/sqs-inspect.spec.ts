import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { Broker, Queue } from '../../src/brokers/broker.ts';
import { openSqs } from '../../src/brokers/sqs/broker.ts';
import { rejection } from '../support/rejection.ts';

type Answer = object | { readonly refusal: string; readonly text: string };

/** Dead-letter queue features that no emulator has: uses a server whose answers the specs set. */
describe('dead-letter queues in SQS', () => {
  let server: Server;
  let broker: Broker;
  let queue: Queue;
  let answers: Record<string, Answer | ((input: Record<string, unknown>) => Answer)>;
  let asked: [string, Record<string, unknown>][];

  beforeEach(async () => {
    asked = [];
    answers = {
      GetQueueUrl: ({ QueueName }) => ({ QueueUrl: `http://sqs.invalid/1/${QueueName}` }),
      GetQueueAttributes: ({ QueueUrl }) => ({
        Attributes: { QueueArn: `arn:aws:sqs:us-east-1:1:${String(QueueUrl).split('/').at(-1)}` },
      }),
    };
    server = createServer(async (request, response) => {
      let text = '';
      for await (const part of request) text += part;
      const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
      const input = JSON.parse(text) as Record<string, unknown>;
      asked.push([action, input]);
      const given = answers[action] ?? {};
      const answer = typeof given === 'function' ? given(input) : given;
      const refusal = 'refusal' in answer ? answer : undefined;
      response.writeHead(refusal ? 400 : 200, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify(
          refusal ? { __type: `com.amazonaws.sqs#${refusal.refusal}`, message: refusal.text } : answer,
        ),
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    broker = await openSqs({ endpoint: `http://127.0.0.1:${port}`, emulator: true });
    queue = await broker.open('dead');
  });
  afterEach(async () => {
    await broker.close();
    server.close();
  });

  const inputOf = (action: string) => asked.find(([name]) => name === action)?.[1];

  it("are found through their source's redrive policy", async () => {
    const RedrivePolicy = '{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:1:dead","maxReceiveCount":"4"}';
    answers.GetQueueAttributes = { Attributes: { RedrivePolicy } };
    expect(await queue.inspect?.deadLetterQueue?.()).to.deep.equal({ name: 'dead', maxReceives: 4 });
    answers.GetQueueAttributes = {};
    expect(await queue.inspect?.deadLetterQueue?.()).to.equal(undefined);
  });

  it('list their sources, page by page', async () => {
    answers.ListDeadLetterSourceQueues = ({ NextToken }) =>
      NextToken ? { queueUrls: ['http://s/1/a'] } : { queueUrls: ['http://s/1/b'], NextToken: 'more' };
    expect(await queue.inspect?.deadLetterSources?.()).to.deep.equal(['a', 'b']);
  });

  it('are redriven by SQS, to the source queues or to one queue', async () => {
    answers.StartMessageMoveTask = { TaskHandle: 'handle' };
    const SourceArn = 'arn:aws:sqs:us-east-1:1:dead';
    await queue.inspect?.startMove?.();
    expect(inputOf('StartMessageMoveTask')).to.deep.equal({ SourceArn });
    asked = [];
    const move = await queue.inspect?.startMove?.('jobs');
    expect(inputOf('StartMessageMoveTask')).to.deep.equal({
      SourceArn,
      DestinationArn: 'arn:aws:sqs:us-east-1:1:jobs',
    });
    const task = { ApproximateNumberOfMessagesMoved: 2, ApproximateNumberOfMessagesToMove: 5 };
    answers.ListMessageMoveTasks = { Results: [{ ...task, Status: 'RUNNING' }] };
    expect(await move?.progress()).to.deep.equal({ moved: 2, total: 5, isOver: false, isCancelled: false });
    expect(inputOf('ListMessageMoveTasks')).to.deep.equal({ SourceArn, MaxResults: 1 });
    await move?.cancel();
    expect(inputOf('CancelMessageMoveTask')).to.deep.equal({ TaskHandle: 'handle' });
    answers.ListMessageMoveTasks = { Results: [{ ...task, Status: 'CANCELLED' }] };
    expect(await move?.progress()).to.include({ isOver: true, isCancelled: true });
    answers.ListMessageMoveTasks = { Results: [{ ...task, Status: 'COMPLETED' }] };
    expect(await move?.progress()).to.include({ isOver: true, isCancelled: false });
  });

  it('report why SQS did not move all messages', async () => {
    answers.StartMessageMoveTask = { TaskHandle: 'handle' };
    answers.ListMessageMoveTasks = {
      Results: [{ Status: 'FAILED', FailureReason: 'CouldNotDetermineMessageSource' }],
    };
    const move = await queue.inspect?.startMove?.();
    expect((await rejection(move!.progress())).message).to.match(
      /moved 0 messages of "dead" and then failed: CouldNotDetermineMessageSource/,
    );
  });

  it('are left to us if SQS refuses to move the messages, but not while it is already moving them', async () => {
    for (const refusal of [
      'ResourceNotFoundException',
      'UnsupportedOperation',
      'AccessDenied',
      'InvalidAction',
    ]) {
      answers.StartMessageMoveTask = { refusal, text: 'Not here.' };
      expect(await queue.inspect?.startMove?.(), refusal).to.equal(undefined);
    }
    const text = 'There is already a task running.';
    answers.StartMessageMoveTask = { refusal: 'UnsupportedOperation', text };
    expect((await rejection(queue.inspect!.startMove!())).message).to.contain('already a task running');
  });

  it('can be purged once a minute, and the error says so', async () => {
    answers.PurgeQueue = { refusal: 'PurgeQueueInProgress', text: 'Only one PurgeQueue operation.' };
    const error = await rejection(queue.purge());
    expect(error).to.have.property('kind', 'throttled');
    expect(error.message).to.match(/purged "dead" less than a minute ago.*try again in a minute$/);
  });
});
