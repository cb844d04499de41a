/**
 * Ten messages at once, 95 % of which sleep 5 ms and 5 % 200 ms, and 10 ms per API call: does a slot ever wait for the
 * slowest of ten, or for the network? Run: npm run bench -- ten-at-once
 */
import { atLeast, type Finding, show } from '../harness/report.ts';
import { ROUNDS } from '../harness/statistics.ts';
import { compare, printComparison } from './compare.ts';

const CANDIDATES = ['bareLoops', 'rawLoop', 'sqsConsumer10', 'squiss10', 'concurrent'] as const;
const setup = { handler: 'mixed', latencyMs: 10, messages: 20_000, warmUpSeconds: 2, seconds: 6 } as const;

export async function bench(): Promise<Finding[]> {
  const measured = await compare(CANDIDATES, setup);
  const ideal = measured.bareLoops.messagesPerSecond;
  printComparison(
    `Ten at once: 95 % sleep 5 ms and 5 % 200 ms, ${setup.latencyMs} ms per API call; median of ${ROUNDS}`,
    measured,
    {
      'messages/s': ({ messagesPerSecond }) => show(messagesPerSecond),
      'vs. bare loops': ({ messagesPerSecond }) => show(messagesPerSecond / ideal),
      'API calls per message': ({ callsPerMessage }) => show(callsPerMessage),
    },
  );
  const share = measured.concurrent.messagesPerSecond / ideal;
  return [atLeast('ten at once, vs. ten bare loops without a queue', share * 100, 95, '%')];
}
