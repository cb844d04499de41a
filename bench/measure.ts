/** Runs a candidate over a queue of a stub and measures it: rate, share of the ideal, API calls and CPU a message. */
import type { Candidate } from './candidates.ts';
import { startStub } from './stub.ts';

export interface Scenario {
  readonly messages: number;
  /** How long each API call takes, in milliseconds. */
  readonly latencyMs: number;
  /** Handles a message. */
  readonly handle: () => void | Promise<void>;
}

export interface Measured {
  readonly messagesPerSecond: number;
  readonly callsPerMessage: number;
  /** CPU time of this process beside the handlers', in microseconds. */
  readonly cpuPerMessage: number;
}

export async function measure(candidate: Candidate, scenario: Scenario): Promise<Measured> {
  const { messages, latencyMs } = scenario;
  const stub = await startStub(latencyMs, messages);
  const all = Promise.withResolvers<void>();
  let handled = 0;
  let lastAt = 0;
  const handle = () => {
    const result = scenario.handle();
    const count = () => {
      handled += 1;
      lastAt = performance.now();
      if (handled === messages) all.resolve();
    };
    if (result === undefined) return count();
    return result.then(count);
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await candidate({ stub, handle, done: all.promise, messages });
  const { user, system } = process.cpuUsage(cpu);
  const calls = Object.values(await stub.calls()).reduce((sum, count) => sum + count);
  await stub.stop();
  return {
    messagesPerSecond: (handled / (lastAt - startedAt)) * 1000,
    callsPerMessage: calls / messages,
    cpuPerMessage: (user + system) / messages,
  };
}

/** Keeps the processor busy for so many milliseconds. */
export function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}
