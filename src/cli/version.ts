/** The version of the package, from its package.json. */
import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('sqs-containers/package.json') as { version: string };

export { version };
