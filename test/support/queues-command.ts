/**
 * Runs commands of `sqs-queues` in the process of the specs. A command takes milliseconds that way, and the executable
 * has nothing else to start. Specs about the environment, signals, standard input or a terminal run the executable.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { queuesMain } from '../../src/cli/queues-main.ts';
import type { ExitCode } from '../../src/host/exit-codes.ts';
import { putOff } from './executable.ts';

type Stream = 'stdout' | 'stderr';

/** What a command printed, and its exit code. */
export interface Ran extends Readonly<Record<Stream, string>> {
  readonly ended: ExitCode;
}

/** The output of the command that is running, to keep several apart. */
const output = new AsyncLocalStorage<Record<Stream, string>>();
let isCaught = false;

/** Runs one command. Its paths are relative to `folder`, until `cleanUp`. */
export async function runQueues(args: readonly string[], { folder }: { folder: string }): Promise<Ran> {
  catchOutput();
  const before = process.cwd();
  process.chdir(folder);
  putOff(() => process.chdir(before));
  const texts = { stdout: '', stderr: '' };
  const ended = await output.run(texts, () => queuesMain(args));
  return { ...texts, ended };
}

/** Collects what commands write, and passes on what others write. */
function catchOutput(): void {
  if (isCaught) return;
  isCaught = true;
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = process[name];
    const write = stream.write.bind(stream);
    // The executable's output is not a terminal either.
    stream.isTTY = false;
    stream.write = ((...given: Parameters<typeof write>) => {
      const texts = output.getStore();
      if (!texts) return write(...given);
      texts[name] += String(given[0]);
      return true;
    }) as typeof stream.write;
  }
}
