/**
 * How long a process takes from its start to its first receive: until the SQS stub gets a ReceiveMessage, or until a
 * container logs that it is connected to its queue file. Runs the output of `npm run build`. Run: npm run bench -- start
 */
import { spawn } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { executable } from '../harness/executables.ts';
import { atMost, type Finding, printTable, show } from '../harness/report.ts';
import { median } from '../harness/statistics.ts';
import { startStub } from '../test/support/sqs-stub.ts';

const RUNS = 20;

export async function bench(): Promise<Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), 'start-'));
  const stub = await startStub({ keepRequests: false });
  writeFileSync(join(folder, 'worker.mjs'), 'export const worker = () => () => {};');
  writeFileSync(join(folder, 'sqs.ini'), settings('sqs'));
  writeFileSync(join(folder, 'sqlite.ini'), settings('sqlite:queues.db'));
  const sequential = executable('sequential');
  const candidates: [string, string[]][] = [
    [
      'plain JavaScript with the SDK',
      [join(import.meta.dirname, 'start-plain.js'), `${stub.url}/000000000000/jobs`],
    ],
    ['sqs-sequential on SQS', [sequential, 'sqs.ini']],
    ['sqs-sequential on a queue file', [sequential, 'sqlite.ini']],
  ];

  const times = candidates.map((): number[] => []);
  // In turn, so that other load on the machine affects all of them equally. The first round warms the disk cache.
  for (let run = -1; run < RUNS; run += 1) {
    for (const [index, [, args]] of candidates.entries()) {
      const time = await timeToReceive(args, folder, stub.url);
      if (run >= 0) times[index]?.push(time);
    }
  }
  await stub.stop();
  rmSync(folder, { recursive: true });

  const [plain = []] = times;
  const ratios = times.map((own) => median(own.map((time, run) => time / (plain[run] ?? Number.NaN))));
  printTable(
    `From process start to first receive, median of ${RUNS}`,
    ['', 'takes', 'vs. plain JavaScript'],
    candidates.map(([name], index) => [
      name,
      show(median(times[index] ?? []), 'ms'),
      show(ratios[index] ?? Number.NaN),
    ]),
  );
  return [
    atMost('process start to first receive, vs. plain JavaScript with the SDK', ratios[1] ?? Number.NaN, 2.4),
  ];
}

function settings(broker: string): string {
  return `[container]\nworker = ./worker.mjs:worker\nqueue = jobs\nbroker = ${broker}\n`;
}

/** Milliseconds until a process with these arguments receives; then kills it. */
async function timeToReceive(args: readonly string[], folder: string, endpoint: string): Promise<number> {
  const env = {
    HOME: folder,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_ENDPOINT_URL_SQS: endpoint,
  };
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { cwd: folder, env });
  const exit = once(child, 'exit');
  const receivedAt = await new Promise<number>((resolve, reject) => {
    let output = '';
    received = () => resolve(performance.now());
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk;
      if (output.includes('Connected to sqlite')) received();
    });
    child.on('exit', () => reject(new Error(`The process exited without a receive:\n${output}`)));
  });
  child.kill('SIGKILL');
  await exit;
  return receivedAt - startedAt;
}

/** Called when the stub, or another server in this process, gets a ReceiveMessage. */
let received = () => {};
subscribe('http.server.request.start', (event) => {
  const { request } = event as { readonly request: IncomingMessage };
  if (request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage') received();
});
