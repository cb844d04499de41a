/** The addresses of brokers: which there are, which broker one names, and how it may be shown. */
import { resolve } from 'node:path';

/** What can be an address, for people. */
export const ADDRESSES =
  'sqs, sqs+http://HOST:PORT, sqs+https://HOST, sqlite:PATH, postgres://HOST/DATABASE, redis://HOST, memory:, or module:export for one of your own, such as ./my-broker.ts:MyBroker';

/** What addresses of the brokers that come with this program begin with, as far as words go. */
export const SCHEMES = ['sqs', 'sqlite', 'postgres', 'postgresql', 'redis', 'rediss', 'memory'] as const;

export type BrokerKind = 'sqs' | 'emulator' | 'sqlite' | 'postgres' | 'redis' | 'memory' | 'custom';

/** A module, a colon, and an export or a dotted path into one; no URL, and nothing that begins as the others do. */
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
 * The broker that an address names; undefined if it names none.
 *
 *     brokerKind('sqlite:queues.db')             // 'sqlite'
 *     brokerKind('./my-broker.ts:MyBroker')      // 'custom'
 *     brokerKind('mysql://host/queues')          // undefined
 */
export function brokerKind(address: string): BrokerKind | undefined {
  const kinds = Object.keys(PATTERNS) as BrokerKind[];
  return kinds.find((kind) => PATTERNS[kind].test(address));
}

/** Whether an address names SQS, or an emulator of it. */
export function isSqs(address: string): boolean {
  const kind = brokerKind(address);
  return kind === 'sqs' || kind === 'emulator';
}

/**
 * An address as it may be shown, also one that is wrong: `***` for its password, and for what its query says is one.
 *
 *     withoutPassword('redis://me:a/b@host?password=c')    // 'redis://me:***@host?password=***'
 */
export function withoutPassword(address: string): string {
  return address
    .replace(/^([\w+.-]+:\/\/[^:@/]*:).*@/s, '$1***@')
    .replace(/([?&][^=&]*pass[^=&]*=)[^&]*/gi, '$1***');
}

/** The path of the queue file in a `sqlite:` address. `directory` is what it is relative to. */
export function queueFile(address: string, directory: string): string {
  return resolve(directory, address.slice('sqlite:'.length));
}
