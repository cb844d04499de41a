/** Runs the executables built by `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type ExecutableName = 'sequential' | 'concurrent';

/** The path of the script. Throws if it is not built. */
export function executable(name: ExecutableName): string {
  const script = join(import.meta.dirname, `../dist/containers/${name}.js`);
  if (!existsSync(script)) throw new Error(`${script} does not exist. Run \`npm run build\` first.`);
  return script;
}

/**
 * Runs a container in `folder`, which becomes its working directory and HOME, with these settings as `worker.ini`.
 * Resolves to its exit code: null if a signal killed it. It does not outlive this process.
 */
export async function runContainer(
  name: ExecutableName,
  folder: string,
  settings: string,
): Promise<number | null> {
  writeFileSync(join(folder, 'worker.ini'), settings);
  const child = spawn(process.execPath, [executable(name), 'worker.ini'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('exit', kill);
  return code;
}
