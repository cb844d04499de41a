/** What is right in the settings of a container and perhaps not meant: for its log, before it starts. */
import type { Config } from '../config/config.ts';
import { isLoopback, parseListen } from '../config/listen.ts';
import { suggest } from '../config/suggestion.ts';
import { isWebAddress } from '../config/values.ts';

/** The warnings, each a line. `suffix` is that of the command line. */
export function warningsOf(
  { file, container, http }: Config,
  suffix: string | undefined,
  environment: NodeJS.ProcessEnv,
): string[] {
  const { queue, queuePrefix, suffixes = [], broker } = container;
  const { listen = '' } = http;
  const warnings: string[] = [];
  if (suffix !== undefined && !suffixes.includes(suffix)) {
    const advice =
      suffixes.length > 0 ? `no such suffix; ${suggest(suffix, suffixes, 'it has')}` : 'no suffixes';
    warnings.push(`--suffix ${suffix} is used, although ${file} has ${advice}`);
  }
  // An emulator is one's own already, and a URL says which queue is meant.
  const isShared = broker === 'sqs' && queue.some(({ name }) => !isWebAddress(name));
  if (isShared && queuePrefix === undefined && environment.NODE_ENV !== 'production') {
    warnings.push(
      'NODE_ENV is not production, and there is no queue_prefix to keep these queues apart from those of production and of other people: set one of the two',
    );
  }
  const address = parseListen(listen);
  if (address && 'host' in address && !isLoopback(address.host)) {
    warnings.push(
      `The status server listens on ${listen}, for other machines too, without encryption or a login: keep it behind a firewall, or listen on 127.0.0.1`,
    );
  }
  return warnings;
}
