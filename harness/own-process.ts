/**
 * Runs an exported function of a module in a process of its own, so that what is compared shares no compiled code, no
 * heap and no connections. Plain Node.js runs the TypeScript: tsx would add calls of its own to each function.
 */
import { fork } from 'node:child_process';

/**
 * Calls the export `name` of the module at `file` with `input` in a new process, which has `gc()`; resolves to its
 * result. Input and result are JSON. Rejects if the process ends without a result.
 */
export function inOwnProcess<Result>(file: string, name: string, input: object): Promise<Result> {
  const child = fork(import.meta.filename, [file, name, JSON.stringify(input)], {
    execArgv: ['--expose-gc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as Result));
    child.once('exit', (code) =>
      reject(new Error(`${name} of ${file} ended with exit code ${code} and no result.`)),
    );
  });
}

/** Not at the top level: the module may import this one, which would wait for itself. */
async function answer([file = '', name = '', input = '']: readonly string[]): Promise<void> {
  // It does not outlive the process that waits for it.
  process.once('disconnect', () => process.exit());
  const module = (await import(file)) as Record<string, (input: unknown) => Promise<object>>;
  const result = await module[name]?.(JSON.parse(input));
  process.send?.(result, () => process.exit());
}

if (import.meta.main) void answer(process.argv.slice(2));
