/**
 * One candidate on a full queue of a stub, measured over a window of time once it runs warm: messages a second, API
 * calls and CPU time a message. The handler's own CPU time counts, too.
 */
import { type CandidateName, candidates, taskOf } from './candidates.ts';
import { type Handler, type HandlerName, handlers, sleep } from './handlers.ts';
import { startStub } from './stub.ts';

export interface Trial {
  readonly candidate: CandidateName;
  readonly handler: HandlerName;
  /** How long each API call takes, in milliseconds. */
  readonly latencyMs: number;
  /** More than can be handled in the time. */
  readonly messages: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface Measured {
  readonly messagesPerSecond: number;
  readonly callsPerMessage: number;
  /** CPU time of the process, in microseconds. */
  readonly cpuPerMessage: number;
}

export async function trial(setup: Trial): Promise<Measured> {
  const stub = await startStub(setup.latencyMs, setup.messages, taskOf(setup.candidate));
  await stub.calls();
  const handler: Handler = handlers[setup.handler]();
  let handled = 0;
  const count = () => {
    handled += 1;
  };
  const handle = () => {
    const handling = handler();
    return handling === undefined ? count() : handling.then(count);
  };
  const end = new AbortController();
  const candidate = await candidates[setup.candidate].load();
  const running = candidate({ stub, handle, end: end.signal });

  await sleep(setup.warmUpSeconds * 1000);
  const callsBefore = await stub.calls();
  const [handledBefore, startedAt, cpu] = [handled, performance.now(), process.cpuUsage()];
  await sleep(setup.seconds * 1000);
  const { user, system } = process.cpuUsage(cpu);
  const messages = handled - handledBefore;
  const seconds = (performance.now() - startedAt) / 1000;
  const calls = (await stub.calls()) - callsBefore;

  end.abort();
  await running;
  await stub.stop();
  if (handled >= setup.messages)
    throw new Error(`${setup.messages} messages were too few for ${setup.candidate}.`);
  return {
    messagesPerSecond: messages / seconds,
    callsPerMessage: calls / messages,
    cpuPerMessage: (user + system) / messages,
  };
}
