// Whatever the names of queues and the numbers of messages, a scraper reads the correct counts.
import { expect } from 'chai';
import fc from 'fast-check';
import { isQueueName } from '../../../src/brokers/rules/queue-name.ts';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import { prometheusText } from '../../../src/observe/metrics/prometheus.ts';
import { totalOf } from '../../../src/observe/metrics/snapshot.ts';
import { parsePrometheus, valueIn } from './parse-prometheus.ts';

/** A custom broker can use any queue names. */
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', '{', '}', ',', '=', ' ', 'é', '😀') }),
  fc.constantFrom('work', 'work.fifo', 'constructor', '__proto__', 'toString', 'https://host/1/a?b="c"'),
);

describe('the text for Prometheus, whatever was counted', () => {
  it('contains the counts of each queue, added up over several processes', async () => {
    const counts = fc.array(fc.tuple(name, fc.integer({ min: 1, max: 5 }), fc.nat(2 ** 40)), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(counts, counts, async (...processes) => {
        const expected = new Map<string, number>();
        const snapshots = processes.map((counted) => {
          const metrics = new Metrics();
          for (const [name, messages, age] of counted) {
            const sentAt = Date.now() - age;
            metrics.received(
              { name },
              Array.from({ length: messages }, () => ({ sentAt })),
            );
            metrics.requested(name, 'ReceiveMessage', 0);
            expected.set(name, (expected.get(name) ?? 0) + messages);
          }
          const loads = counted.map(([name]) => ({
            name,
            held: 1,
            running: 0,
            failing: false,
            silentSeconds: 0,
          }));
          // As received from another process.
          return JSON.parse(JSON.stringify(metrics.snapshot(1, loads))) as ReturnType<Metrics['snapshot']>;
        });
        const samples = parsePrometheus(await prometheusText(totalOf(snapshots), 2, {}));
        for (const [queue, messages] of expected) {
          const labels = { messaging_destination_name: queue };
          expect(valueIn(samples, 'messaging_client_consumed_messages_total', labels), queue).to.equal(
            messages,
          );
        }
        for (const { value } of samples) expect(value).to.be.at.least(0);
      }),
    );
  });

  it('supports queue names that are also properties of every object', () => {
    expect(['constructor', '__proto__', 'toString'].every(isQueueName)).to.equal(true);
  });
});
