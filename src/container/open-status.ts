/** The status server of a container. Loaded only if the ini file has `[http] listen`. */
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

/** Which container it is. */
export interface StatusSubject {
  readonly program: Program;
  readonly config: Config;
  /** Goes behind the names of the queues. */
  readonly suffix: string | undefined;
  readonly log: Logger;
}

/** Opens the server, and says in the log where it is. Throws StatusServerError. */
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
    onError: (error) => log.error('The status server could not answer', error),
  });
  log.info(`Status: ${server.address}`);
  const { tokenFile } = http;
  if (tokenFile !== undefined && isReadableByAll(tokenFile)) {
    log.warn(
      `Every user of this machine can read the token_file, and steer the container with it: chmod 600 ${tokenFile}`,
    );
  }
  return server;
}

/** A broker whose requests are counted. */
export function counted(broker: Broker, metrics: Metrics): Broker {
  return countedBroker(broker, (queue, action, bytes) => metrics.requested(queue, action, bytes));
}

/** The full names or URLs of the queues, the dead-letter queue last. */
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
