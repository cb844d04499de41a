/** The stub of SQS in a process of its own, so that its work does not count as the client's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export interface StubProcess {
  readonly url: string;
  /** The name of the queue that has the messages. */
  readonly queue: string;
  readonly queueUrl: string;
  /** API calls so far. */
  calls(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a stub that takes `latencyMs` for each call and has `messages` waiting: plain calls, or calls of a task. */
export async function startStub(latencyMs: number, messages: number, task?: string): Promise<StubProcess> {
  const queue = 'bench';
  const script = join(import.meta.dirname, '../test/support/sqs-stub.ts');
  const options = ['--latency', String(latencyMs), '--preload', String(messages), '--queue', queue];
  if (task !== undefined) options.push('--task', task);
  const child = spawn(process.execPath, [script, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  // A bench that fails must not leave it behind.
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
