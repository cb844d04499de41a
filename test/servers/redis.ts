/** Redis for the specs. */
import type { ServerKind } from './server.ts';

export const redis: ServerKind = {
  name: 'Redis',
  variables: ['REDIS_URL'],
  packages: ['redis-server'],
  isInstalled: () => false,
  addressInEnvironment: () => process.env.REDIS_URL,
  start: () => Promise.reject(new Error('not written yet')),
};
