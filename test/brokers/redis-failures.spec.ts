import { inspect } from 'node:util';
import { expect } from 'chai';
import type { BrokerErrorKind } from '../../src/brokers/errors.ts';
import { redisFailure } from '../../src/brokers/redis/failures.ts';

describe('a failure of Redis', () => {
  const kinds: [text: string, kind: BrokerErrorKind, advice: RegExp][] = [
    ['NOAUTH Authentication required.', 'credentials', /password/],
    ['WRONGPASS invalid username-password pair or user is disabled.', 'credentials', /password/],
    ['ERR invalid password', 'credentials', /password/],
    ["NOPERM User worker has no permissions to run the 'evalsha' command", 'denied', /ACL SETUSER/],
    ["ERR The user executing the script can't publish to the channel", 'denied', /&sqs-containers/],
    ['ERR DB index is out of range', 'setup', /\/0/],
    ['MOVED 3999 10.0.0.2:6379', 'setup', /Cluster/],
    ['CLUSTERDOWN Hash slot not served', 'setup', /without cluster mode/],
    ['ERR Script attempted to access a non local key in a cluster node', 'setup', /Cluster/],
    ["ERR unknown command 'ZMSCORE'", 'setup', /6\.2/],
    [
      'ERR Error running script (call to f_1): @user_script:3: Unknown Redis command called from script',
      'setup',
      /6\.2/,
    ],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', 'setup', /another database/],
    ['LOADING Redis is loading the dataset in memory', 'unreachable', /loading/],
    [
      "READONLY You can't write against a read only replica. script: 1, on @user_script:6.",
      'unreachable',
      /replica/,
    ],
    [
      "ERR Error running script (call to f_1): @user_script:6: -READONLY You can't write against a read only replica.",
      'unreachable',
      /replica/,
    ],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'unreachable', /maxmemory/],
    ['NOREPLICAS Not enough good replicas to write.', 'unreachable', /min-replicas-to-write/],
    ['MISCONF Redis is configured to save RDB snapshots, but', 'unreachable', /disk/],
    ['BUSY Redis is busy running a script.', 'unreachable', /busy/],
    ['ERR max number of clients reached', 'unreachable', /maxclients/],
    ['self-signed certificate in certificate chain', 'setup', /NODE_EXTRA_CA_CERTS/],
    ['unable to verify the first certificate', 'setup', /NODE_EXTRA_CA_CERTS/],
    ["Hostname/IP does not match certificate's altnames", 'setup', /NODE_EXTRA_CA_CERTS/],
    ['getaddrinfo ENOTFOUND queues.example.com', 'unreachable', /host name/],
    ['connect ECONNREFUSED 10.0.0.1:6379', 'unreachable', /is running/],
    ["Socket timeout. Expecting data, but didn't receive any in 5000ms.", 'unreachable', /in time/],
    ['ERR something new', 'unreachable', /failed/],
  ];

  for (const [text, kind, advice] of kinds) {
    it(`is of kind ${kind}, and says what to do: ${text}`, () => {
      const cause = new Error(text);
      const error = redisFailure('redis://queues:6379/0', cause);
      expect(error).to.include({ kind, cause });
      expect(error.message)
        .to.match(advice)
        .and.to.contain(`(${text}).`)
        .and.to.match(/^redis:\/\/queues:6379\/0 /);
    });
  }

  it('does not contain the arguments of the request, which may include a password', () => {
    const cause = Object.assign(new Error('WRONGPASS invalid password'), {
      command: { name: 'auth', args: ['secret'] },
    });
    expect(inspect(redisFailure('redis://queues', cause)))
      .to.contain('WRONGPASS')
      .and.not.to.contain('secret');
  });

  it('has as its cause the last error before ioredis gave up', () => {
    const gaveUp = new Error(
      'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest".',
    );
    expect(redisFailure('redis://queues', gaveUp, new Error('connect ECONNREFUSED')).message).to.contain(
      'REFUSED',
    );
    const withoutReason = redisFailure('redis://queues', gaveUp);
    expect(withoutReason).to.have.property('kind', 'unreachable');
    expect(withoutReason.message).to.contain('the connection was lost').and.not.to.contain('maxRetries');
  });
});
