/** Broker addresses: the valid forms, which broker an address names, and how to show one without its password. */
import { resolve } from 'node:path';

/** The valid forms of an address, for error messages. */
export const ADDRESSES =
  'sqs, sqs+http://HOST:PORT, sqs+https://HOST, sqlite:PATH, postgres://HOST/DATABASE, redis://HOST, memory:, or module:export for your own broker, such as ./my-broker.ts:MyBroker';

/** The schemes of the built-in brokers' addresses. */
export const SCHEMES = ['sqs', 'sqlite', 'postgres', 'postgresql', 'redis', 'rediss', 'memory'] as const;

export type BrokerKind = 'sqs' | 'emulator' | 'sqlite' | 'postgres' | 'redis' | 'memory' | 'custom';

/** A module, a colon, and an export or a dotted path into it; not a URL, and not an address with a built-in scheme. */
const CUSTOM = new RegExp(`^(?!(?:${SCHEMES.join('|')}):)(?![\\w+.-]+://).+:[\\w$]+(?:\\.[\\w$]+)*$`, 'is');

const PATTERNS: Readonly<Record<BrokerKind, RegExp>> = {
  sqs: /^sqs$/,
  emulator: /^sqs\+https?:\/\//,
  sqlite: /^sqlite:./,
  postgres: /^postgres(ql)?:\/\//,
  redis: /^rediss?:\/\//,
  memory: /^memory:$/,
  custom: CUSTOM,
};

/**
 * The kind of broker that an address names; undefined if the address is invalid.
 *
 *     brokerKind('sqlite:queues.db')             // 'sqlite'
 *     brokerKind('./my-broker.ts:MyBroker')      // 'custom'
 *     brokerKind('mysql://host/queues')          // undefined
 */
export function brokerKind(address: string): BrokerKind | undefined {
  const kinds = Object.keys(PATTERNS) as BrokerKind[];
  return kinds.find((kind) => PATTERNS[kind].test(address));
}

/** Whether an address names SQS or an SQS emulator. */
export function isSqs(address: string): boolean {
  const kind = brokerKind(address);
  return kind === 'sqs' || kind === 'emulator';
}

/**
 * An address that is safe to show, even if it is invalid: `***` replaces the password, and passwords in the query string.
 *
 *     withoutPassword('redis://me:a/b@host?password=c')    // 'redis://me:***@host?password=***'
 */
export function withoutPassword(address: string): string {
  return address
    .replace(/^([\w+.-]+:\/\/[^:@/]*:).*@/s, '$1***@')
    .replace(/([?&][^=&]*pass[^=&]*=)[^&]*/gi, '$1***');
}

/** The absolute path of the queue file in a `sqlite:` address, which may be relative to `directory`. */
export function queueFile(address: string, directory: string): string {
  return resolve(directory, address.slice('sqlite:'.length));
}
