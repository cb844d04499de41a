/** pg-boss: jobs in batches of ten. Its maintenance is off, and finished jobs stay in the table. */
import { PgBoss } from 'pg-boss';
import { byTen, untilHandled } from '../../harness/loops.ts';
import type { OpenQueue } from '../brokers/speed.ts';

const QUEUE = 'bench';

export const openPgBoss: OpenQueue = async (address) => {
  const boss = new PgBoss({ connectionString: address, supervise: false, schedule: false });
  boss.on('error', (error) => {
    throw error;
  });
  await boss.start();
  await boss.createQueue(QUEUE);
  return {
    send: (bodies, senders) =>
      byTen(bodies, senders, (ten) =>
        boss.insert(
          QUEUE,
          ten.map((body) => ({ data: { body } })),
        ),
      ),
    handle: (count, consumers) =>
      untilHandled(count, consumers, async () => {
        const jobs = await boss.fetch(QUEUE, { batchSize: 10 });
        if (jobs.length === 0) return 0;
        const ids = jobs.map(({ id }) => id);
        await boss.complete(QUEUE, ids);
        return jobs.length;
      }),
    close: () => boss.stop(),
  };
};
