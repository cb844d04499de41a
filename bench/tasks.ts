/**
 * The cost of a task compared with a plain call, whose message has no attributes, and with a worker that reads the task's
 * raw messages: CPU time per message, on a full queue, with a handler that does nothing.
 * Run: npm run bench -- tasks
 */
import { atMost, type Finding, show } from '../harness/report.ts';
import { ROUNDS } from '../harness/statistics.ts';
import { compare, printComparison } from './compare.ts';

const CANDIDATES = ['concurrent', 'raw', 'tasks'] as const;
const setup = { handler: 'nothing', latencyMs: 0, messages: 300_000, warmUpSeconds: 2, seconds: 3 } as const;

export async function bench(): Promise<Finding[]> {
  const measured = await compare(CANDIDATES, setup);
  const plain = measured.concurrent.cpuPerMessage;
  printComparison(
    `Tasks: a full queue, a handler that does nothing, no latency; CPU time of the container, median of ${ROUNDS}`,
    measured,
    {
      'CPU per message': ({ cpuPerMessage }) => show(cpuPerMessage, 'µs'),
      'vs. plain call': ({ cpuPerMessage }) => show(cpuPerMessage / plain),
      'messages/s': ({ messagesPerSecond }) => show(messagesPerSecond),
    },
  );
  const task = measured.tasks.cpuPerMessage;
  return [
    atMost('CPU of a task, vs. the same messages read raw', task / measured.raw.cpuPerMessage, 1.15),
    atMost('CPU of a task, vs. plain call', task / plain, 1.15),
  ];
}
