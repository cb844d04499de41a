/** The subjects of the test: our containers and, for comparison, other libraries. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { executable } from '../harness/executables.ts';
import type { Program } from './fleet.ts';
import { FIFO_QUEUE, STANDARD_QUEUE } from './producer.ts';

export const SUBJECTS = ['sqs-containers', 'sqs-consumer', 'squiss-ts'] as const;
export type Subject = (typeof SUBJECTS)[number];

export interface Setting {
  /** The folder of the run. */
  readonly folder: string;
  /** The address of the broker. */
  readonly address: string;
  /** The path of the ledger. */
  readonly ledger: string;
  /** In seconds. */
  readonly visibilityTimeout: number;
  /** The longest handling time, in milliseconds. */
  readonly longestMs: number;
}

/** The programs for this many processes. */
export function programsOf(subject: Subject, processes: number, setting: Setting): Program[] {
  const one = subject === 'sqs-containers' ? container(setting) : () => peer(subject, setting);
  return Array.from({ length: processes }, (_, index) => one(index));
}

/** The built executables; every third process handles one message at a time. */
function container({
  folder,
  address,
  ledger,
  visibilityTimeout,
  longestMs,
}: Setting): (index: number) => Program {
  writeFileSync(
    join(folder, 'worker.mjs'),
    `export { worker } from '${join(import.meta.dirname, 'worker.ts')}';\n`,
  );
  writeFileSync(
    join(folder, 'worker.ini'),
    `[container]
worker = ./worker.mjs:worker
queue = ${STANDARD_QUEUE}, ${FIFO_QUEUE}
broker = ${address}
visibility_timeout = ${visibilityTimeout}
on_error = retry
crash_limit = 0
[worker]
ledger = ${ledger}
longest_ms = ${longestMs}
`,
  );
  return (index) => {
    const kind = index > 0 && index % 3 === 2 ? 'sequential' : 'concurrent';
    return { script: executable(kind), args: ['worker.ini'] };
  };
}

function peer(subject: Subject, { address, ledger, visibilityTimeout, longestMs }: Setting): Program {
  return {
    script: join(import.meta.dirname, 'peer.ts'),
    args: [subject, address.replace(/^sqs\+/, ''), ledger, String(visibilityTimeout), String(longestMs)],
  };
}
