/** The version and the location of the installed package. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const manifest = 'sqs-containers/package.json';
const require = createRequire(import.meta.url);

/** The version in package.json. */
export const { version } = require(manifest) as { version: string };

/** The absolute path of the folder with package.json. */
export function packageFolder(): string {
  return dirname(require.resolve(manifest));
}
