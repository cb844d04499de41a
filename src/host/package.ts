/** This package as it is installed: its version, and where it lies. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const manifest = 'sqs-containers/package.json';
const require = createRequire(import.meta.url);

/** From its package.json. */
export const { version } = require(manifest) as { version: string };

/** The folder of its package.json, absolute. */
export function packageFolder(): string {
  return dirname(require.resolve(manifest));
}
