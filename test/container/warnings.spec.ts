import { expect } from 'chai';
import { parseConfig } from '../../src/config/config.ts';
import { warningsOf } from '../../src/container/warnings.ts';

function warnings(options: string, suffix?: string, environment: NodeJS.ProcessEnv = {}): string[] {
  const text = `[container]\nworker = ./worker.ts:worker\n${options}`;
  return warningsOf(parseConfig(text, 'worker.ini', {}), suffix, environment);
}

const NO_PREFIX = /^NODE_ENV is not production, and there is no queue_prefix .*: set one of the two$/;
const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/mails';

describe('the warning that there is no prefix', () => {
  for (const [title, options, environment] of [
    ['on SQS', 'queue = mails', {}],
    ['in development', 'queue = mails', { NODE_ENV: 'development' }],
    ['if only some queues are URLs', `queue = ${QUEUE_URL}, mails`, {}],
  ] as const) {
    it(`is there ${title}`, () => {
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
    it(`is not there ${title}`, () => expect(warnings(options, undefined, environment)).to.deep.equal([]));
  }
});

describe('the warning of an unknown suffix', () => {
  const options = 'queue = mails\nbroker = memory:\n';

  for (const [title, suffixes, suffix, expected] of [
    ['is none without a suffix', 'suffixes = big, small', undefined, []],
    ['is none for those of the ini file', 'suffixes = big, small', 'small', []],
    [
      'suggests the nearest',
      'suffixes = big, small',
      'smal',
      ['--suffix smal is used, although worker.ini has no such suffix; did you mean "small"?'],
    ],
    [
      'shows all if none is near',
      'suffixes = big, small',
      'huge',
      ['--suffix huge is used, although worker.ini has no such suffix; it has big, small'],
    ],
    ['says that there are none', '', 'big', ['--suffix big is used, although worker.ini has no suffixes']],
  ] as const) {
    it(title, () => expect(warnings(options + suffixes, suffix)).to.deep.equal(expected));
  }
});
