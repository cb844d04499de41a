// The edge cases of each kind of value: values that are just valid, and values that just miss.
import { expect } from 'chai';
import type * as z from 'zod';
import { brokerAddress, queues, share, size, webAddress, yesOrNo } from '../../src/config/values.ts';

const edges: [string, z.ZodType, right: [string, unknown][], wrong: string[]][] = [
  [
    'yes or no',
    yesOrNo(),
    [
      ['YES', true],
      ['on', true],
      ['1', true],
      ['False', false],
      ['0', false],
    ],
    ['yesterday', 'oh yes', '10', 'nothing', 'a no', '', '01'],
  ],
  [
    'a share',
    share(),
    [
      ['0', 0],
      ['1', 1],
      ['0.25', 0.25],
      ['00.1234567', 0.123457],
    ],
    ['1.01', '-0', '.5', '1.', '2', '1e-1', ''],
  ],
  [
    'a size',
    size(2 ** 20),
    [
      ['1M', 2 ** 20],
      ['1.25G', 1.25 * 2 ** 30],
      ['1048576', 2 ** 20],
      ['1024K', 2 ** 20],
    ],
    ['1048575', '1 M', '1m', '1MB', 'M', '1.M', '9'.repeat(20), ''],
  ],
  [
    'queues',
    queues(),
    [
      ['a', [{ name: 'a', weight: 1 }]],
      [
        ' a * 1000 ,b ',
        [
          { name: 'a', weight: 1000 },
          { name: 'b', weight: 1 },
        ],
      ],
    ],
    ['a*0', 'a*1001', 'a*', 'a*1.5', 'a,,b', 'a*2,a', 'a b', ''],
  ],
  [
    'a web address',
    webAddress(),
    [['https://host/x', 'https://host/x']],
    ['host', 'ftp://host', 'see https://host', 'http://', 'https://['],
  ],
  [
    'the address of a broker',
    brokerAddress(),
    [
      'sqs',
      'sqs+http://127.0.0.1:4566',
      'sqlite:a.db',
      'postgres://host/db',
      'redis://host',
      'rediss://host:1/2',
      'memory:',
      './my-broker.ts:Broker',
      'a:sqlite:b',
    ].map((address) => [address, address]),
    [
      'sqs+http://[',
      'postgres://host:x/db',
      'redis://host:99999',
      'sqlite:',
      'mysql://host/db',
      'sqlit:a.db',
      '',
    ],
  ],
];

describe('the values of options', () => {
  for (const [kind, schema, right, wrong] of edges) {
    for (const [text, expected] of right) {
      it(`accept "${text}" as ${kind}`, () => expect(schema.parse(text)).to.deep.equal(expected));
    }
    for (const text of wrong) {
      it(`reject "${text}" as ${kind}`, () => expect(schema.safeParse(text).success).to.equal(false));
    }
  }
});
