/**
 * Compares candidates that handle messages. A trial runs one candidate in its own process on the full queue of a stub, and
 * measures it for some time after a warm-up. Results are medians over the trials.
 */
import { sleep } from '../harness/clock.ts';
import { inOwnProcess } from '../harness/own-process.ts';
import { printTable } from '../harness/report.ts';
import { startStub } from '../harness/sqs-stub-process.ts';
import { inRounds, median } from '../harness/statistics.ts';
import { type CandidateName, candidates, taskOf } from './candidates.ts';
import { type Handler, type HandlerName, handlers } from './work.ts';

export interface Trial {
  readonly candidate: CandidateName;
  readonly handler: HandlerName;
  /** How long each API call takes, in milliseconds. */
  readonly latencyMs: number;
  /** More than can be handled in this time. */
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

/** The medians of each candidate. */
export async function compare<Name extends CandidateName>(
  names: readonly Name[],
  setup: Omit<Trial, 'candidate'>,
): Promise<Record<Name, Measured>> {
  const trials = await inRounds(names, (candidate) =>
    inOwnProcess<Measured>(import.meta.filename, 'trial', { ...setup, candidate }),
  );
  const medians = names.map((name) => [name, medianOfEach(trials.get(name) ?? [])]);
  return Object.fromEntries(medians) as Record<Name, Measured>;
}

/** Prints a row for each candidate; `columns` maps each heading to the cell text. */
export function printComparison(
  title: string,
  measured: Readonly<Partial<Record<CandidateName, Measured>>>,
  columns: Readonly<Record<string, (measured: Measured) => string>>,
): void {
  const names = Object.keys(measured) as CandidateName[];
  printTable(
    title,
    ['', ...Object.keys(columns)],
    names.map((name) => [
      candidates[name].title,
      ...Object.values(columns).map((cell) => cell(measured[name]!)),
    ]),
  );
}

function medianOfEach(trials: readonly Measured[]): Measured {
  return {
    messagesPerSecond: median(trials.map(({ messagesPerSecond }) => messagesPerSecond)),
    callsPerMessage: median(trials.map(({ callsPerMessage }) => callsPerMessage)),
    cpuPerMessage: median(trials.map(({ cpuPerMessage }) => cpuPerMessage)),
  };
}

/** Runs in its own process. Includes the handler's own CPU time. */
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
    throw new Error(`${setup.messages} messages were not enough for ${setup.candidate}.`);
  return {
    messagesPerSecond: messages / seconds,
    callsPerMessage: calls / messages,
    cpuPerMessage: (user + system) / messages,
  };
}
