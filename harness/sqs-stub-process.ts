/** The SQS stub in its own process, so that its CPU time does not count as the client's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface StubProcess {
  readonly url: string;
  /** The name of the queue with the messages. */
  readonly queue: string;
  readonly queueUrl: string;
  /** API calls so far. */
  calls(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a stub with `latencyMs` per API call and `messages` in its queue: plain calls, or calls of a task. */
export async function startStub(latencyMs: number, messages: number, task?: string): Promise<StubProcess> {
  const queue = 'bench';
  const script = join(import.meta.dirname, '../test/support/sqs-stub.ts');
  const options = ['--latency', String(latencyMs), '--preload', String(messages), '--queue', queue];
  if (task !== undefined) options.push('--task', task);
  const child = spawn(process.execPath, [script, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  // A failing benchmark must not leave the stub running.
  const kill = () => child.kill();
  process.once('exit', kill);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  return {
    url,
    queue,
    queueUrl: `${url}/000000000000/${queue}`,
    async calls() {
      const { calls } = (await (await fetch(`${url}/stats`)).json()) as { calls: Record<string, number> };
      return Object.values(calls).reduce((sum, count) => sum + count, 0);
    },
    async stop() {
      process.off('exit', kill);
      child.kill();
      await once(child, 'exit');
    },
  };
}
