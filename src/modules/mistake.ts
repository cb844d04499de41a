/** Whether what a factory threw is a mistake in code or settings, or something outside that may come right by itself. */
import { BrokerConfigError } from '../brokers/errors.ts';

/** By name, not class: a process may have loaded this package, and others, more than once. */
const MISTAKES = new Set([
  'TypeError',
  'ReferenceError',
  'SyntaxError',
  'RangeError',
  'EvalError',
  'URIError',
  'AssertionError',
  'ZodError',
  'ConfigError',
  'ModuleLoadError',
  'NoTasksError',
]);
const MISSING_MODULE = /^(ERR_)?MODULE_NOT_FOUND$/;
const NETWORK = /^(ECONN\w+|ENOTFOUND|EAI_\w+|ETIMEDOUT|EHOST\w+|ENET\w+|EPIPE|UND_ERR_\w+)$/;

/**
 * True if calling the factory again will not help. Anything that comes from the network may come right, whatever it is
 * wrapped in; so may an error of no known kind.
 *
 *     isMistake(new TypeError('config.url is undefined'))                            // true
 *     isMistake(new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }))  // false
 *     isMistake(new Error('the database system is starting up'))                     // false
 */
export function isMistake(error: unknown): boolean {
  if (isFromNetwork(error)) return false;
  const { name, code } = Object(error) as { name?: unknown; code?: unknown };
  if (error instanceof BrokerConfigError) return true;
  return MISTAKES.has(String(name)) || MISSING_MODULE.test(String(code));
}

/** Looks into the causes, and into what an AggregateError (several addresses of a host were tried) gathers. */
function isFromNetwork(error: unknown, seen = new Set<unknown>()): boolean {
  if (typeof error !== 'object' || error === null || seen.has(error)) return false;
  seen.add(error);
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  const inside = [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return NETWORK.test(String(code)) || inside.some((one) => isFromNetwork(one, seen));
}
