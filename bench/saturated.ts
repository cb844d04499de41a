/**
 * A full queue, a handler that does nothing, no latency: API calls and CPU time per message.
 * Run: npm run bench -- saturated
 */
import { atMost, type Finding, show } from '../harness/report.ts';
import { ROUNDS } from '../harness/statistics.ts';
import { compare, printComparison } from './compare.ts';

const CANDIDATES = [
  'rawLoop',
  'sqsConsumer1',
  'sqsConsumer10',
  'sqsConsumerBatches',
  'squiss100',
  'bareHttp',
  'sequential',
  'concurrent',
] as const;
const setup = { handler: 'nothing', latencyMs: 0, messages: 300_000, warmUpSeconds: 2, seconds: 3 } as const;

export async function bench(): Promise<Finding[]> {
  const measured = await compare(CANDIDATES, setup);
  const raw = measured.rawLoop.cpuPerMessage;
  printComparison(
    `Saturated: a full queue, a handler that does nothing, no latency; CPU time of the client process, median of ${ROUNDS}`,
    measured,
    {
      'API calls per message': ({ callsPerMessage }) => show(callsPerMessage),
      'CPU per message': ({ cpuPerMessage }) => show(cpuPerMessage, 'µs'),
      'vs. raw loop': ({ cpuPerMessage }) => show(cpuPerMessage / raw),
      'messages/s': ({ messagesPerSecond }) => show(messagesPerSecond),
    },
  );
  return (['sequential', 'concurrent'] as const).flatMap((name) => [
    atMost(`API calls per message, ${name}`, measured[name].callsPerMessage, 0.21),
    atMost(`CPU per message, ${name}, vs. raw loop`, measured[name].cpuPerMessage / raw, 0.5),
  ]);
}
