/** Decides whether a factory's error is a mistake in code or settings, or an external problem that may go away. */
import { BrokerConfigError } from '../brokers/errors.ts';

/** By name, not by class: a process may have loaded this package, or others, more than once. */
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
  'IncompatibleCopyError',
]);
const MISSING_MODULE = /^(ERR_)?MODULE_NOT_FOUND$/;
const NETWORK = /^(ECONN\w+|ENOTFOUND|EAI_\w+|ETIMEDOUT|EHOST\w+|ENET\w+|EPIPE|UND_ERR_\w+)$/;

/**
 * True if calling the factory again will not help. A network error may go away, whatever it is wrapped in, and so may
 * an error of an unknown kind.
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

/** Also checks the causes, and the errors in an AggregateError (several addresses of a host were tried). */
function isFromNetwork(error: unknown, seen = new Set<unknown>()): boolean {
  if (typeof error !== 'object' || error === null || seen.has(error)) return false;
  seen.add(error);
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  const inside = [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return NETWORK.test(String(code)) || inside.some((inner) => isFromNetwork(inner, seen));
}
