import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { decodeLine } from '../../src/message/log-lines.ts';
import { cleanUp, folderWith, run, start } from '../support/executable.ts';
import { emulateSqs, openIn } from '../support/executable-brokers.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

const DEEP = 100_000;
const MEBIBYTE = 1_048_576;

/** Bodies that every broker accepts. */
const BAD = [
  '{oops',
  '{"args":[1]}',
  '[1,2,3]',
  '"a text"',
  'null',
  '[[1],{},"more"]',
  'x'.repeat(MEBIBYTE),
  '[[{"__proto__":{"admin":true}}],{}]',
  '[[1],{"\\u005f_proto__":{"admin":true}}]',
  '['.repeat(DEEP) + ']'.repeat(DEEP),
];
/** Bodies that are valid text. */
const LINES = 'two\nlines\r\nand a\ttab';
/** Bodies that only sqlite accepts: SQS refuses an empty body and control characters. */
const ODD = ['', 'a\u0000b\u001b[2J', 'é€\u2028\u{1f600}'];
/** Bodies that only a careless server delivers: half a surrogate pair, raw and JSON-escaped. */
const INVALID = ['half a pair: \ud800', '[["\\ud800"]'];

const WORKER = `
  import { TransientError } from 'sqs-containers';
  export const worker = () => (what) => {
    if (what === 'busy') throw new TransientError('the mail server is busy', { delay: 900 });
    if (what === 'bad') throw new TypeError('no such user');
    console.log('handled', what);
  };
`;

function folderFor(broker: string, more = ''): string {
  const container = `[container]\nworker = ./worker.mjs:worker\nqueue = jobs\nbroker = ${broker}\n${more}`;
  return folderWith({
    'worker.ini': `${container}\n[logger.messages]\npath = messages.log\n`,
    'worker.mjs': WORKER,
  });
}

async function openJobs(broker: string, folder: string): Promise<Queue> {
  return (await openIn(folder, broker)).open('jobs');
}

/** Sends the bad bodies followed by a good message, and checks what happens to all of them. */
async function expectToOutlive(
  bodies: readonly string[],
  folder: string,
  queue: Queue,
  send: (body: string) => unknown,
) {
  for (const body of [...bodies, '[["good"],{}]']) await send(body);
  const container = start('sequential', ['worker.ini', '--message-limit', String(bodies.length + 1)], {
    folder,
  });
  expect(await container.exit(), container.stderr).to.equal(0);

  expect(container.stdout).to.equal('handled good\n');
  const logged = /ERROR sequential: Handling a message \(.*\)\n {2}MalformedMessageError: .*\n {6}at /g;
  expect(container.stderr.match(logged)).to.have.lengthOf(bodies.length);
  expect(bodiesOf(folder).sort()).to.deep.equal([...bodies].sort());
  expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
}

/** Sends the messages log again, and checks that the queue has exactly the same bodies. */
async function expectToSendAgain(bodies: readonly string[], folder: string, queue: Queue) {
  const sent = await run('queues', ['send', 'jobs', '--from', 'messages.log', '-c', 'worker.ini'], {
    folder,
  });
  expect(sent.ended, sent.stderr).to.equal(0);
  expect(sent.stdout).to.equal(`Sent ${bodies.length} of ${bodies.length} messages to jobs\n`);
  const received: string[] = [];
  while (received.length < bodies.length) {
    const messages = await queue.receive({ max: 10, waitSeconds: 1 });
    expect(messages).not.to.be.empty;
    received.push(...messages.map(({ body }) => body));
  }
  expect(received.sort()).to.deep.equal([...bodies].sort());
}

function bodiesOf(folder: string): string[] {
  const lines = readFileSync(join(folder, 'messages.log'), 'utf8').split('\n');
  expect(lines.pop()).to.equal('');
  return lines.map(decodeLine);
}

function oneBy(queue: Queue): (body: string) => Promise<void> {
  return async (body) => {
    expect(await queue.send([{ body }])).to.have.nested.property('[0].ok', true);
  };
}

describe('bad input', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  const sqs = emulateSqs('jobs');
  let stub: Stub;
  before(async () => {
    stub = await startStub({ queues: ['jobs'] });
  });
  after(() => stub.stop());

  it('on sqlite is logged, kept in the messages log and deleted, and can be sent again', async () => {
    const bodies = [...BAD, LINES, ...ODD];
    const folder = folderFor('sqlite:queues.db');
    const queue = await openJobs('sqlite:queues.db', folder);
    await expectToOutlive(bodies, folder, queue, oneBy(queue));
    await expectToSendAgain(bodies, folder, queue);
  });

  it('on SQS is logged, kept in the messages log and deleted, and can be sent again', async () => {
    const broker = sqs.address;
    const folder = folderFor(broker);
    const queue = await openJobs(broker, folder);
    const bodies = [...BAD, LINES];
    await expectToOutlive(bodies, folder, queue, oneBy(queue));
    await expectToSendAgain(bodies, folder, queue);
  });

  it('from a server that delivers anything is treated the same', async () => {
    const broker = `sqs+${stub.url}`;
    const folder = folderFor(broker);
    const queue = await openJobs(broker, folder);
    const bodies = [...INVALID, ...ODD, LINES];
    await expectToOutlive(bodies, folder, queue, (body) => stub.queue('jobs').send(body, {}));
    await expectToSendAgain(bodies, folder, queue);
  });

  it('that the worker rejects is treated the same', async () => {
    const folder = folderFor('sqlite:queues.db');
    const queue = await openJobs('sqlite:queues.db', folder);
    for (const what of ['bad', 'good']) await queue.send([{ body: `[["${what}"],{}]` }]);
    const container = await run('sequential', ['worker.ini', '--message-limit', '2'], { folder });
    expect(container.stdout).to.equal('handled good\n');
    expect(container.stderr).to.match(
      /ERROR sequential: Handling a message \(.*\)\n {2}TypeError: no such user\n {6}at .*worker\.mjs/,
    );
    expect(bodiesOf(folder)).to.deep.equal(['[["bad"],{}]']);
  });

  it('stays in the queue with on_error = retry, and is not written to the messages log', async () => {
    const folder = folderFor('sqlite:queues.db', 'on_error = retry\n');
    const queue = await openJobs('sqlite:queues.db', folder);
    await queue.send([{ body: '{oops' }]);
    const container = await run('sequential', ['worker.ini', '--message-limit', '1'], { folder });
    expect(container.stderr).to.match(/ERROR sequential: Handling a message .*\n {2}MalformedMessageError: /);
    expect(bodiesOf(folder)).to.deep.equal([]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });

  it('does not include a TransientError: the message stays in the queue, with one line in the log', async () => {
    const folder = folderFor('sqlite:queues.db');
    const queue = await openJobs('sqlite:queues.db', folder);
    await queue.send([{ body: '[["busy"],{}]' }]);
    const container = await run('sequential', ['worker.ini', '--message-limit', '1'], { folder });
    const [connected, told, drained, ...others] = container.stderr.trimEnd().split('\n');
    expect(connected).to.contain('Connected');
    expect(told).to.match(
      /INFO sequential: Message \S+ is retried in 900 s: the mail server is busy \(.*\)$/,
    );
    expect(drained).to.contain('Drained');
    expect(others).to.deep.equal([]);
    expect(bodiesOf(folder)).to.deep.equal([]);
    expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 1, delayed: 0 });
  });
});
