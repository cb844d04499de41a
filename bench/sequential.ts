/**
 * One message at a time, a CPU-bound handler, and API calls that take time: how close to the handler alone?
 * Run: npm run bench -- sequential
 */
import { atLeast, type Finding, show } from '../harness/report.ts';
import { ROUNDS } from '../harness/statistics.ts';
import { compare, printComparison } from './compare.ts';

const CANDIDATES = [
  'bareLoop',
  'rawLoop',
  'sqsConsumer1',
  'sqsConsumer10',
  'squiss100',
  'sequential',
] as const;
const SCENARIOS = [
  { handler: 'busy5ms', busyMs: 5, latencyMs: 20, percent: 95 },
  { handler: 'busy1ms', busyMs: 1, latencyMs: 10, percent: 90 },
] as const;

export async function bench(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const scenario of SCENARIOS) findings.push(await one(scenario));
  return findings;
}

async function one({ handler, busyMs, latencyMs, percent }: (typeof SCENARIOS)[number]): Promise<Finding> {
  const setup = { handler, latencyMs, messages: 20_000, warmUpSeconds: 3, seconds: 4 };
  const measured = await compare(CANDIDATES, setup);
  const ideal = measured.bareLoop.messagesPerSecond;
  const what = `sequential, handler busy ${busyMs} ms, ${latencyMs} ms per API call`;
  const raw = measured.rawLoop.messagesPerSecond;
  printComparison(`${what}: median of ${ROUNDS}`, measured, {
    'messages/s': ({ messagesPerSecond }) => show(messagesPerSecond),
    'vs. handler alone': ({ messagesPerSecond }) => show(messagesPerSecond / ideal),
    'vs. raw loop': ({ messagesPerSecond }) => show(messagesPerSecond / raw),
    'API calls per message': ({ callsPerMessage }) => show(callsPerMessage),
  });
  const reached = (measured.sequential.messagesPerSecond / ideal) * 100;
  return atLeast(`${what}, vs. handler alone`, reached, percent, '%');
}
