import { expect } from 'chai';
import { parseAddress } from '../../src/brokers/redis/address.ts';

describe('the address of a Redis server', () => {
  it('has a host, and optionally a port and a database', () => {
    expect(parseAddress('redis://queues')).to.deep.equal({
      host: 'queues',
      port: 6379,
      db: 0,
      isEncrypted: false,
      description: 'redis://queues:6379/0',
    });
    expect(parseAddress('rediss://queues.example.com:7000/15')).to.deep.equal({
      host: 'queues.example.com',
      port: 7000,
      db: 15,
      isEncrypted: true,
      description: 'rediss://queues.example.com:7000/15',
    });
    expect(parseAddress('redis://[::1]:7000/')).to.include({
      host: '::1',
      description: 'redis://[::1]:7000/0',
    });
  });

  it('can have a user and a password, which are never shown', () => {
    const address = parseAddress('redis://me:p%40ss%2Fword@queues');
    expect(address).to.include({
      username: 'me',
      password: 'p@ss/word',
      description: 'redis://queues:6379/0',
    });
    expect(parseAddress('redis://:secret@queues'))
      .to.include({ password: 'secret' })
      .and.not.to.have.property('username');
  });

  it('is refused if it is invalid, without showing the password', () => {
    const places = ['queues/name', 'queues:70000', 'queues/0?family=6', '', 'queues/0/1', 'queues/0#1'];
    for (const address of [
      ...places.map((place) => `redis://me:secret@${place}`),
      'redis://me:secret%zz@queues',
    ]) {
      expect(() => parseAddress(address), address)
        .to.throw(/redis:\/\/USER:PASSWORD@HOST:6379\/0/)
        .that.satisfies(({ kind, message }: { kind: string; message: string }) => {
          return kind === 'setup' && !message.includes('secret');
        });
    }
  });
});
