import { expect } from 'chai';
import { isLoopback, parseListen } from '../../src/config/listen.ts';

describe('where a server listens', () => {
  it('is a host with a port', () => {
    expect(parseListen('127.0.0.1:8125')).to.deep.equal({ host: '127.0.0.1', port: 8125 });
    expect(parseListen('worker.example:0')).to.deep.equal({ host: 'worker.example', port: 0 });
    expect(parseListen('[::1]:8125')).to.deep.equal({ host: '::1', port: 8125 });
  });

  it('is a path', () => {
    expect(parseListen('./status:80/a.sock')).to.deep.equal({ path: './status:80/a.sock' });
  });

  it('is nothing else', () => {
    for (const text of ['', '8125', 'status.sock', '[::zz]:1', 'a b:1', 'http://a:1', 'a:65536', '/run/'])
      expect(parseListen(text), text).to.equal(undefined);
  });

  it('is reachable only from this machine for loopback addresses', () => {
    for (const host of [
      'localhost',
      'LOCALHOST',
      'a.localhost',
      '127.0.0.1',
      '127.10.20.30',
      'a.b.localhost',
      '::1',
    ])
      expect(isLoopback(host), host).to.equal(true);
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      'notlocalhost',
      'localhost.example',
      '127.0.0.1.example',
    ])
      expect(isLoopback(host), host).to.equal(false);
  });
});
