import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ADDRESSES } from '../../src/brokers/address.ts';
import { BrokerError } from '../../src/brokers/errors.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { MemoryQueue } from '../../src/brokers/memory/queue.ts';
import { openBroker } from '../../src/brokers/open.ts';
import { ModuleLoadError } from '../../src/modules/load.ts';
import { rejection } from '../support/rejection.ts';

/** Its imports are absolute, because it is in a temporary folder. */
const SOURCE = `
import { BrokerError } from '${join(import.meta.dirname, '../../src/brokers/errors.ts')}';
import { MemoryBroker } from '${join(import.meta.dirname, '../../src/brokers/memory/broker.ts')}';

export class MyBroker extends MemoryBroker {
  readonly given: unknown[];
  constructor(...given: unknown[]) {
    super();
    this.given = given;
  }
}
export const brokers = {
  later: async (options: unknown) => new MyBroker(options),
};
export const down = () => Promise.reject(new BrokerError('unreachable', 'nobody answers'));
export const broken = () => JSON.parse('{');
class OldQueue {
  readonly name = 'jobs';
  readonly fifo = false;
  readonly visibilityTimeout = 30;
  readonly contentBasedDeduplication = false;
  readonly abortsReceives = true;
  receive() {}
  send() {}
  delete() {}
  changeVisibility() {}
  counts() {}
  purge() {}
  peek() {}
  oldest() {}
}
export class OldBroker extends MemoryBroker {
  readonly maxRequestBytes = 1_048_576;
  async open(name) {
    return name === 'none' ? undefined : new OldQueue();
  }
}
export class LimitlessBroker extends MemoryBroker {
  async open(name) {
    const queue = await super.open(name);
    queue.limits = name === 'none' ? null : { ...queue.limits, maxBatch: undefined };
    return queue;
  }
}
export const half = () => ({ ...new MemoryBroker(), open: () => {}, close: 'no function' });
export const nothing = () => undefined;
export const address = 'my-host';
`;

describe('a custom broker', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'custom-broker-'));
    writeFileSync(join(directory, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(directory, 'mine.ts'), SOURCE);
  });
  after(() => rmSync(directory, { recursive: true }));

  const open = (address: string) => openBroker(address, { directory });
  async function failure(address: string): Promise<BrokerError> {
    const error = await rejection<BrokerError>(open(address));
    expect(error).to.be.instanceOf(BrokerError);
    return error;
  }

  it("can be a class, which is constructed with the ini file's folder", async () => {
    const broker = await open('./mine.ts:MyBroker');
    expect(broker).to.be.instanceOf(MemoryBroker).with.deep.property('given', [{ directory }]);
  });

  it('can be a function, sync or async, inside an object', async () => {
    const broker = await open('mine.ts:brokers.later');
    expect(broker).to.be.instanceOf(MemoryBroker).with.deep.property('given', [{ directory }]);
  });

  it('gets the absolute working directory if there is no ini file', async () => {
    const broker = await openBroker(`${directory}/mine.ts:MyBroker`);
    expect(broker).to.have.deep.property('given', [{ directory: process.cwd() }]);
  });

  it('fails with a setup error that lists valid addresses if it cannot be imported', async () => {
    for (const [address, reason] of [
      [
        './missing.ts:MyBroker',
        `Cannot find module ./missing.ts: the file ${directory}/missing.ts does not exist.`,
      ],
      ['sqlit:queues.db', `Cannot find module sqlit: there is no file ${directory}/sqlit, and no package`],
      [
        './mine.ts:YourBroker',
        './mine.ts has no export "YourBroker". It has: LimitlessBroker, MyBroker, OldBroker, address,',
      ],
    ] as const) {
      const { kind, message, cause } = await failure(address);
      expect(kind).to.equal('setup');
      expect(message).to.contain(`Cannot load the broker ${address}: ${reason}`).and.contain(ADDRESSES);
      expect(cause).to.be.instanceOf(ModuleLoadError);
    }
  });

  it('fails with a setup error if it is not a function', async () => {
    const { kind, message } = await failure('./mine.ts:address');
    expect(kind).to.equal('setup');
    expect(message).to.equal(
      './mine.ts:address is not a broker: export a function that opens one, ({ directory }) => …, or a class.',
    );
  });

  it('fails with a setup error that lists missing members and their types', async () => {
    const { kind, message } = await failure('./mine.ts:half');
    expect(kind).to.equal('setup');
    expect(message).to.equal(
      './mine.ts:half did not create a valid broker. Missing: create (a function), remove (a function), list (a function), close (a function).',
    );
    expect((await failure('./mine.ts:nothing')).message).to.contain(
      'description (a string), maxDelaySeconds',
    );
  });

  it('lists the missing members of a queue, and those that moved since earlier builds, when opening it', async () => {
    const broker = await open('./mine.ts:OldBroker');
    const error = await rejection<BrokerError>(broker.open('jobs'));
    expect(error).to.be.instanceOf(BrokerError).with.property('kind', 'setup');
    expect(error.message).to.equal(
      'The queue "jobs" from ./mine.ts:OldBroker does not match the queue interface of this release. Missing: limits (an object). Move into its `inspect`: peek, oldest. See docs/brokers.md, "Brokers written for earlier builds of 0.1".',
    );
    expect((await rejection(broker.open('none'))).message).to.contain('Missing: name (a string), fifo');
  });

  it('lists the missing limits of a queue', async () => {
    const broker = await open('./mine.ts:LimitlessBroker');
    expect((await rejection(broker.open('jobs'))).message).to.contain(
      'Missing: limits.maxBatch (a number). See',
    );
    expect((await rejection(broker.open('none'))).message).to.contain(
      'Missing: limits.maxBatch (a number), limits.maxReceiveBytes (a number), limits.maxRequestBytes (a number), limits.maxMessageBytes (a number). See',
    );
  });

  it('opens complete queues unchanged', async () => {
    const broker = await open('./mine.ts:MyBroker');
    const queue = await broker.open('jobs');
    expect(queue)
      .to.be.instanceOf(MemoryQueue)
      .and.to.equal(await broker.open('jobs'));
  });

  it('keeps the message of its own errors', async () => {
    expect(await failure('./mine.ts:down')).to.include({ kind: 'unreachable', message: 'nobody answers' });
    const { kind, message, cause } = await failure('./mine.ts:broken');
    expect(kind).to.equal('setup');
    expect(message).to.match(/^Cannot open the broker \.\/mine\.ts:broken: .*JSON/);
    expect(cause).to.be.instanceOf(SyntaxError);
  });
});
