// Gives the compiled executables the mode bit that tsc does not set, so that they can be run from a clone.
import { chmodSync, readFileSync } from 'node:fs';

const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as { bin: Record<string, string> };
for (const file of Object.values(bin)) chmodSync(file, 0o755);
