/**
 * One message at a time, a handler that keeps the processor busy for 5 ms, and 20 ms an API call: 200 messages a second
 * is what the handler alone could do. Run: npm run bench -- sequential
 */
import Table from 'cli-table3';
import { type Candidate, ours, rawLoop, sqsConsumer } from './candidates.ts';
import { measure, spin } from './measure.ts';

const HANDLER_MS = 5;
const scenario = { messages: 1_000, latencyMs: 20, handle: () => spin(HANDLER_MS) };

const candidates: [string, Candidate][] = [
  ['raw SDK loop: receive 10, handle, delete 10', rawLoop],
  ['sqs-consumer, one at a time', sqsConsumer(1)],
  ['sqs-consumer, batches of 10', sqsConsumer(10)],
  ['sqs-sequential', ours(1)],
];

const ideal = 1000 / HANDLER_MS;
const table = new Table({
  head: ['', 'messages/s', 'of the ideal', 'to the raw loop', 'API calls a message'],
});
let raw: number | undefined;
for (const [name, candidate] of candidates) {
  const { messagesPerSecond, callsPerMessage } = await measure(candidate, scenario);
  raw ??= messagesPerSecond;
  table.push([
    name,
    messagesPerSecond.toFixed(0),
    `${((messagesPerSecond / ideal) * 100).toFixed(1)} %`,
    (messagesPerSecond / raw).toFixed(2),
    callsPerMessage.toFixed(3),
  ]);
}
console.log(
  `Sequential: handler busy ${HANDLER_MS} ms, ${scenario.latencyMs} ms an API call, ${scenario.messages} messages`,
);
console.log(table.toString());
