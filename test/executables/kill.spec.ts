import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Queue } from '../../src/brokers/broker.ts';
import { cleanUp, eventually, folderWith, start } from '../support/executable.ts';
import { emulateSqs, openIn } from '../support/executable-brokers.ts';

const MESSAGES = 1_000;
/** Messages waiting, running, or handled but not deleted yet; about 20 for messages that take a millisecond. */
const MOST_HELD = 100;
/** In seconds; also the queue's own. */
const VISIBILITY_TIMEOUT = 2;

/** Writes the number of each handled message to a file before it returns. */
const WORKER = `
  import { appendFileSync } from 'node:fs';
  export const worker = () => async (number) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    appendFileSync('handled', number + '\\n');
  };
`;

describe('a container killed in the middle of 1,000 messages', function () {
  this.timeout(60_000);
  afterEach(cleanUp);

  const sqs = emulateSqs();

  for (const [title, brokerOf] of [
    ['sqlite', () => 'sqlite:queues.db'],
    ['SQS', () => sqs.address],
  ] as const) {
    it(`loses no message on ${title}, and repeats at most the messages it held`, async () => {
      const broker = brokerOf();
      const folder = folderWith({
        'worker.ini': `[container]\nworker = ./worker.mjs:worker\nqueue = jobs\nbroker = ${broker}\n`,
        'worker.mjs': WORKER,
      });
      const handled = () => {
        const file = join(folder, 'handled');
        return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
      };
      const queue = await fill(broker, folder);

      const first = start('sequential', ['worker.ini'], { folder });
      await eventually(() => handled().length >= MESSAGES / 3);
      first.signal('SIGKILL');
      expect(await first.exit()).to.equal('SIGKILL');
      const handledByFirst = handled();
      expect(new Set(handledByFirst).size).to.equal(handledByFirst.length).and.be.below(MESSAGES);
      const { inFlight } = await queue.counts();
      expect(inFlight).to.be.at.most(MOST_HELD);

      const second = start('sequential', ['worker.ini'], { folder });
      await eventually(async () => {
        const counts = await queue.counts();
        return counts.visible + counts.inFlight === 0;
      });
      second.signal('SIGTERM');
      expect(await second.exit()).to.equal(0);
      const all = handled();
      expect(new Set(all).size).to.equal(MESSAGES);
      expect(all.length - MESSAGES).to.be.at.most(inFlight);
    });
  }
});

async function fill(address: string, folder: string): Promise<Queue> {
  const broker = await openIn(folder, address);
  await broker.create('jobs', { visibilityTimeout: VISIBILITY_TIMEOUT });
  const queue = await broker.open('jobs');
  for (let sent = 0; sent < MESSAGES; sent += 10) {
    await queue.send(Array.from({ length: 10 }, (_, index) => ({ body: `[[${sent + index}],{}]` })));
  }
  return queue;
}
