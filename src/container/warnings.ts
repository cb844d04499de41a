/** Warnings about valid settings that are probably a mistake. Logged before the container starts. */
import type { Config } from '../config/config.ts';
import { isLoopback, parseListen } from '../config/listen.ts';
import { suggest } from '../config/suggestion.ts';
import { isWebAddress } from '../config/values.ts';

/** Returns the warnings, one line each. `suffix` comes from the command line. */
export function warningsOf(
  { file, container, http }: Config,
  suffix: string | undefined,
  environment: NodeJS.ProcessEnv,
): string[] {
  const { queue, queuePrefix, suffixes = [], broker } = container;
  const { listen = '' } = http;
  const warnings: string[] = [];
  if (suffix !== undefined && !suffixes.includes(suffix)) {
    const problem =
      suffixes.length > 0 ? `does not list it; ${suggest(suffix, suffixes, 'it lists')}` : 'has no suffixes';
    warnings.push(`Using --suffix ${suffix}, although ${file} ${problem}`);
  }
  // An emulator is not shared with others, and a URL identifies one particular queue.
  const isShared = broker === 'sqs' && queue.some(({ name }) => !isWebAddress(name));
  if (isShared && queuePrefix === undefined && environment.NODE_ENV !== 'production') {
    warnings.push(
      'NODE_ENV is not production and queue_prefix is not set, so these may be the queues of production or of other developers: set one of the two',
    );
  }
  const address = parseListen(listen);
  if (address && 'host' in address && !isLoopback(address.host)) {
    warnings.push(
      `The status server on ${listen} is reachable from other machines, without encryption or login: keep it behind a firewall, or listen on 127.0.0.1`,
    );
  }
  return warnings;
}
