/** Opens a container's status server. Loaded only if the ini file has `[http] listen`. */
import { basename } from 'node:path';
import type { Broker } from '../brokers/broker.ts';
import { nameOfUrl } from '../brokers/rules/queue-name.ts';
import type { Config } from '../config/config.ts';
import { fullName } from '../config/queue-names.ts';
import { version } from '../host/package.ts';
import type { Logger } from '../observe/logging/loggers.ts';
import { countedBroker } from '../observe/metrics/counted-broker.ts';
import type { Metrics } from '../observe/metrics/metrics.ts';
import { isReadableByAll } from '../observe/status/access.ts';
import type { StatusSource } from '../observe/status/monitor.ts';
import { openStatusServer, type StatusServer } from '../observe/status/server.ts';
import type { QueueRole } from '../observe/status/status.ts';
import type { Program } from './program.ts';

/** The container that the status server describes. */
export interface StatusSubject {
  readonly program: Program;
  readonly config: Config;
  /** Appended to the queue names. */
  readonly suffix: string | undefined;
  readonly log: Logger;
}

/** Opens the server and logs its address. Throws StatusServerError. */
export async function openStatus(
  { program, config, suffix, log }: StatusSubject,
  source: StatusSource,
): Promise<StatusServer> {
  const { file, container, http } = config;
  const server = await openStatusServer({
    source,
    facts: {
      program,
      file: basename(file),
      version,
      roles: rolesOf(config, suffix),
      isOnSqs: container.broker === 'sqs',
    },
    waitSeconds: container.poll,
    listen: http.listen ?? '',
    tokenFile: http.tokenFile,
    onError: (error) => log.error('The status server failed to answer a request', error),
  });
  log.info(`Status page: ${server.address}`);
  const { tokenFile } = http;
  if (tokenFile !== undefined && isReadableByAll(tokenFile)) {
    log.warn(
      `Every user on this machine can read token_file and control the container with it: run chmod 600 ${tokenFile}`,
    );
  }
  return server;
}

/** Wraps a broker to count its requests. */
export function counted(broker: Broker, metrics: Metrics): Broker {
  return countedBroker(broker, (queue, action, bytes) => metrics.requested(queue, action, bytes));
}

/** Full names or URLs of the queues, the dead-letter queue last. */
export function namesOf({ container }: Config, suffix: string | undefined): string[] {
  const { queue, deadLetterQueue, queuePrefix: prefix } = container;
  return [
    ...queue.map(({ name }) => fullName(name, { prefix, suffix })),
    ...(deadLetterQueue === undefined ? [] : [fullName(deadLetterQueue, { prefix })]),
  ];
}

function rolesOf(config: Config, suffix: string | undefined): Record<string, QueueRole> {
  const { length } = config.container.queue;
  return Object.fromEntries(
    namesOf(config, suffix).map((name, index) => [
      nameOfUrl(name),
      index < length ? 'worked' : 'dead_letter',
    ]),
  );
}
