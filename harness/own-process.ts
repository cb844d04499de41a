/**
 * Runs an exported function of a module in its own process, so that compared candidates do not share compiled code, heap
 * or connections. Plain Node.js runs the TypeScript, because tsx would add calls to each function.
 */
import { fork } from 'node:child_process';

/**
 * Calls the export `name` of the module at `file` with `input`, in a new process with `gc()`; resolves to its result.
 * Input and result are JSON. Rejects if the process exits without a result.
 */
export function inOwnProcess<Result>(file: string, name: string, input: object): Promise<Result> {
  const child = fork(import.meta.filename, [file, name, JSON.stringify(input)], {
    execArgv: ['--expose-gc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as Result));
    child.once('exit', (code) =>
      reject(new Error(`${name} in ${file} exited with code ${code} and no result.`)),
    );
  });
}

/** A function, because with a top-level await, a module that imports this one would deadlock. */
async function answer([file = '', name = '', input = '']: readonly string[]): Promise<void> {
  // This process does not outlive its parent.
  process.once('disconnect', () => process.exit());
  const module = (await import(file)) as Record<string, (input: unknown) => Promise<object>>;
  const result = await module[name]?.(JSON.parse(input));
  process.send?.(result, () => process.exit());
}

if (import.meta.main) void answer(process.argv.slice(2));
