import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { warningsOf } from '../../src/container/warnings.ts';

function warnings(options: string, suffix?: string, environment: NodeJS.ProcessEnv = {}): string[] {
  const text = `[container]\nworker = ./worker.ts:worker\n${options}`;
  return warningsOf(parseConfig(text, 'worker.ini', {}), suffix, environment);
}

const NO_PREFIX = /^NODE_ENV is not production and queue_prefix is not set, .*: set one of the two$/;
const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/mails';

describe('the warning about a missing prefix', () => {
  for (const [title, options, environment] of [
    ['on SQS', 'queue = mails', {}],
    ['in development', 'queue = mails', { NODE_ENV: 'development' }],
    ['if only some queues are URLs', `queue = ${QUEUE_URL}, mails`, {}],
  ] as const) {
    it(`is logged ${title}`, () => {
      const [warning, ...others] = warnings(options, undefined, environment);
      expect(warning).to.match(NO_PREFIX);
      expect(others).to.deep.equal([]);
    });
  }

  for (const [title, options, environment] of [
    ['in production', 'queue = mails', { NODE_ENV: 'production' }],
    ['with a prefix', 'queue = mails\nqueue_prefix = anna', {}],
    ['on an emulator', 'queue = mails\nbroker = sqs+http://127.0.0.1:4566', {}],
    ['for queues in a file', 'queue = mails\nbroker = sqlite:queues.db', {}],
    ['for URLs', `queue = ${QUEUE_URL}`, {}],
  ] as const) {
    it(`is not logged ${title}`, () => expect(warnings(options, undefined, environment)).to.deep.equal([]));
  }
});

describe('the warning about an unknown suffix', () => {
  const options = 'queue = mails\nbroker = memory:\n';

  for (const [title, suffixes, suffix, expected] of [
    ['is not logged without a suffix', 'suffixes = big, small', undefined, []],
    ['is not logged for a suffix that the ini file lists', 'suffixes = big, small', 'small', []],
    [
      'suggests the closest match',
      'suffixes = big, small',
      'smal',
      ['Using --suffix smal, although worker.ini does not list it; did you mean "small"?'],
    ],
    [
      'lists all suffixes if none is close',
      'suffixes = big, small',
      'huge',
      ['Using --suffix huge, although worker.ini does not list it; it lists big, small'],
    ],
    [
      'says that the ini file has none',
      '',
      'big',
      ['Using --suffix big, although worker.ini has no suffixes'],
    ],
  ] as const) {
    it(title, () => expect(warnings(options + suffixes, suffix)).to.deep.equal(expected));
  }
});
