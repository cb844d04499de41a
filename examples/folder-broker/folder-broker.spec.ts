// How to test a broker: first the contract that all brokers keep, then what is special about this broker.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { itKeepsTheContract } from 'sqs-containers/broker-contract';
import { FolderBroker } from './folder-broker.ts';

describe('the folder broker', () => {
  let directory: string;
  let opened: FolderBroker[] = [];

  async function open(): Promise<FolderBroker> {
    const broker = new FolderBroker({ directory });
    opened.push(broker);
    return broker;
  }
  async function start() {
    directory = mkdtempSync(join(tmpdir(), 'folder-broker-'));
    return { broker: await open(), secondBroker: open };
  }
  async function stop(): Promise<void> {
    for (const broker of opened) await broker.close();
    opened = [];
    rmSync(directory, { recursive: true });
  }

  itKeepsTheContract('the folder broker', start, stop, { fifo: false });

  describe('the files', () => {
    before(start);
    after(stop);

    it('are one for each message, until it is deleted', async () => {
      const queue = await (await open()).open('jobs');
      const messages = () => readdirSync(join(directory, 'queues/jobs')).filter((name) => /^\d/.test(name));
      await queue.send([{ body: 'a' }, { body: 'b' }]);
      expect(messages()).to.have.length(2);
      const [first] = await queue.receive({ max: 1, waitSeconds: 0 });
      await queue.delete([first!.receiptHandle]);
      expect(messages()).to.have.length(1);
    });
  });
});
