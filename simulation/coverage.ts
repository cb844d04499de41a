/** Which files and functions of the run loop a simulation ran, so that a green result is not believed too easily. */
import { readdirSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';

/** The folders whose code worlds run. */
const FOLDERS = [
  'consumer',
  'supervisor',
  'host/crashes',
  'brokers/memory',
  'brokers/sql',
  'queues',
  'worker',
];
const SOURCE = fileURLToPath(new URL('../src', import.meta.url));

/** Starts counting. The result stops it, and describes what ran, one line for each folder. */
export async function countCoverage(): Promise<() => Promise<string[]>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: false });
  return async () => {
    const { result } = await session.post('Profiler.takePreciseCoverage');
    session.disconnect();
    return FOLDERS.map((folder) => describeFolder(folder, result));
  };
}

function describeFolder(folder: string, scripts: readonly Profiler.ScriptCoverage[]): string {
  const files = readdirSync(`${SOURCE}/${folder}`).filter((name) => name.endsWith('.ts'));
  const ran = files.map((name) => {
    const script = scripts.find(({ url }) => url === `file://${SOURCE}/${folder}/${name}`);
    const named = script?.functions.filter(({ functionName }) => functionName !== '') ?? [];
    return { name, all: named.length, ran: named.filter(({ ranges }) => ranges[0]!.count > 0).length };
  });
  const notRun = ran.filter(({ all, ran }) => all > 0 && ran === 0).map(({ name }) => name);
  const sum = (key: 'all' | 'ran') => ran.reduce((total, file) => total + file[key], 0);
  const functions = `${sum('ran')} of ${sum('all')} functions in ${files.length - notRun.length} of ${files.length} files`;
  return `src/${folder}: ${functions}${notRun.length > 0 ? `; not ${notRun.join(', ')}` : ''}`;
}
