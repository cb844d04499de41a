import { expect } from 'chai';
import { brokerKind, withoutPassword } from '../../src/brokers/address.ts';

describe('an address', () => {
  for (const [address, kind] of [
    ['sqs', 'sqs'],
    ['sqs+http://127.0.0.1:4566', 'emulator'],
    ['sqlite:queues.db', 'sqlite'],
    ['sqlite:./my-broker.ts:MyBroker', 'sqlite'],
    ['postgres://me@host/queues', 'postgres'],
    ['postgresql://host/queues', 'postgres'],
    ['redis://host', 'redis'],
    ['rediss://host:6380/1', 'redis'],
    ['memory:', 'memory'],
    ['./my-broker.ts:MyBroker', 'custom'],
    ['/srv/my broker.js:brokers.mine', 'custom'],
    ['@acme/brokers:rabbit', 'custom'],
  ] as const) {
    it(`${address} names the broker ${kind}`, () => expect(brokerKind(address)).to.equal(kind));
  }

  for (const address of ['', 'SQS', 'memory:x', 'postgres:x', 'amqp://host:x', './my-broker.ts', './b.ts:']) {
    it(`"${address}" does not name a broker`, () => expect(brokerKind(address)).to.equal(undefined));
  }

  for (const [address, shown] of [
    ['postgres://me:s3cret@host/queues', 'postgres://me:***@host/queues'],
    ['redis://:s3cret@host', 'redis://:***@host'],
    ['redis://me:a:/?#@b@host', 'redis://me:***@host'],
    [
      'postgres://host/queues?user=me&password=s3cret&sslmode=require',
      'postgres://host/queues?user=me&password=***&sslmode=require',
    ],
    ['redis://host:6379/0', 'redis://host:6379/0'],
    ['sqlite:/var/a:b@c.db', 'sqlite:/var/a:b@c.db'],
  ] as const) {
    it(`${shown} is shown without its password`, () => expect(withoutPassword(address)).to.equal(shown));
  }
});
