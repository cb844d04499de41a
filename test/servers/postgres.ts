/** PostgreSQL for the specs. */
import type { ServerKind } from './server.ts';

export const postgres: ServerKind = {
  name: 'Postgres',
  variables: ['DATABASE_URL'],
  packages: ['postgresql'],
  isInstalled: () => false,
  addressInEnvironment: () => process.env.DATABASE_URL,
  start: () => Promise.reject(new Error('not written yet')),
};
