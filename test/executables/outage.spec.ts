import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { cleanUp, eventually, folderWith, putOff, start } from '../support/executable.ts';
import { startStub } from '../support/sqs-stub.ts';

/** Forwards connections to a port. While closed, it refuses connections, and open connections end. */
class Gate {
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port = 0;

  constructor(target: number) {
    this.#target = target;
  }

  async open(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect(this.#target, '127.0.0.1');
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => this.#sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
    });
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

const WORKER = `
  import { existsSync } from 'node:fs';
  export const worker = () => async (what) => {
    console.log('begin', what);
    if (what === 'long') while (!existsSync('finish')) await new Promise((resolve) => setTimeout(resolve, 10));
    console.log('end', what);
  };
`;

describe('sqs-sequential while its endpoint is down', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('logs it once, finishes the messages it has, and recovers on its own', async () => {
    const stub = await startStub({ queues: ['jobs'] });
    putOff(() => stub.stop());
    const gate = new Gate(Number(new URL(stub.url).port));
    putOff(() => gate.close());
    await gate.open();
    const folder = folderWith({
      'worker.ini': `[container]\nworker = ./worker.mjs:worker\nqueue = jobs\nbroker = sqs+http://127.0.0.1:${gate.port}\n`,
      'worker.mjs': WORKER,
    });
    const queue = stub.queue('jobs');
    const container = start('sequential', ['worker.ini'], { folder });
    queue.send('[["long"],{}]', {});
    await container.prints(/^begin long$/);

    await gate.close();
    writeFileSync(join(folder, 'finish'), '');
    await container.prints(/^end long$/);
    await container.prints(/ERROR sequential: Receiving from queue "jobs" failed \(attempt 1\)/);
    for (const what of ['one', 'two', 'three']) queue.send(`[["${what}"],{}]`, {});
    await gate.open();

    for (const what of ['one', 'two', 'three']) await container.prints(new RegExp(`^end ${what}$`));
    await eventually(() => queue.counts.visible + queue.counts.inFlight === 0);
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);

    expect(container.stdout.match(/^begin .*/gm)).to.have.lengthOf(4);
    expect(container.stderr.match(/ ERROR /g)).to.have.lengthOf(1);
    expect(container.stderr).to.match(
      /failed \(attempt 1\); retrying in .* Cannot reach SQS .* Check the network/,
    );
    expect(container.stderr).to.match(/INFO sequential: Receiving from queue "jobs" works again after \d/);
  });
});

describe('sqs-queues wait while its endpoint is down', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('reports it once, and continues waiting', async () => {
    const stub = await startStub({ queues: ['jobs'] });
    putOff(() => stub.stop());
    const gate = new Gate(Number(new URL(stub.url).port));
    putOff(() => gate.close());
    await gate.open();
    const queue = stub.queue('jobs');
    queue.send('[[1],{}]', {});
    const broker = `sqs+http://127.0.0.1:${gate.port}`;
    const options = ['--every', '100ms', '--cycles', '1'];
    const waiting = start('queues', ['wait', 'jobs', '-b', broker, ...options], { folder: folderWith({}) });
    await waiting.prints(/^jobs has 1 message$/);

    await gate.close();
    await waiting.prints(/^Cannot reach SQS .*: connect ECONNREFUSED .* Waiting until it responds again\.$/);
    queue.receive({ max: 1, waitSeconds: 0, visibilityTimeout: 30 }, ([message]) =>
      queue.delete(message!.receiptHandle),
    );
    await gate.open();
    expect(await waiting.exit()).to.equal(0);
    expect(waiting.stdout).to.match(/^Empty: jobs$/m);
    expect(waiting.stderr.match(/Waiting until/g)).to.have.lengthOf(1);
    expect(waiting.stderr).to.match(/^The broker is responding again\.$/m);
  });
});
