import { hostname } from 'node:os';
import { expect } from 'chai';
import { hasToken, isAllowedHost, isAllowedOrigin } from '../../../src/observe/status/access.ts';

const loopback = { host: '127.0.0.1', port: 8125 };
const everywhere = { host: '0.0.0.0', port: 8125 };

describe('the Host header of a request to the status server', () => {
  for (const host of ['127.0.0.1:8125', 'localhost', 'LOCALHOST:9999', '[::1]:8125', 'worker.localhost:80']) {
    it(`may be ${host}`, () => {
      expect(isAllowedHost(host, '/', loopback)).to.equal(true);
    });
  }

  for (const host of [
    undefined,
    '',
    'evil.example',
    '127.0.0.1.evil.example',
    'localhost.evil:80',
    '10.0.0.7',
    'a b',
    '[::1',
  ]) {
    it(`must not be ${host}`, () => {
      expect(isAllowedHost(host, '/', loopback)).to.equal(false);
      expect(isAllowedHost(host, '/metrics', loopback)).to.equal(false);
    });
  }

  it('may be an address or the name of the machine if other machines can connect', () => {
    for (const host of ['10.0.0.7:8125', '[fe80::1]:8125', `${hostname()}:8125`, 'localhost']) {
      expect(isAllowedHost(host, '/', everywhere), host).to.equal(true);
    }
    expect(isAllowedHost('evil.example', '/', everywhere)).to.equal(false);
    expect(isAllowedHost('worker.internal', '/', { host: 'worker.internal', port: 1 })).to.equal(true);
  });

  it('may then be any name for scrapers and probes', () => {
    for (const path of ['/metrics', '/healthz', '/readyz'])
      expect(isAllowedHost('worker.default.svc:8125', path, everywhere), path).to.equal(true);
  });

  it('may be anything on a Unix socket', () => {
    expect(isAllowedHost('whatever', '/', { path: '/run/status.sock' })).to.equal(true);
  });
});

describe('the Origin header of a request to the status server', () => {
  it('may be missing, or that of this server', () => {
    expect(isAllowedOrigin(undefined, '127.0.0.1:8125')).to.equal(true);
    expect(isAllowedOrigin('http://127.0.0.1:8125', '127.0.0.1:8125')).to.equal(true);
    expect(isAllowedOrigin('https://Status.example', 'status.example')).to.equal(true);
  });

  it('must not be that of another page', () => {
    for (const origin of [
      'null',
      'http://evil.example',
      'http://127.0.0.1:8126',
      'http://127.0.0.1',
      'file://127.0.0.1:8125',
    ])
      expect(isAllowedOrigin(origin, '127.0.0.1:8125'), origin).to.equal(false);
    expect(isAllowedOrigin('http://a', undefined)).to.equal(false);
  });
});

describe('the token for actions', () => {
  it('is accepted as a bearer token', () => {
    expect(hasToken('Bearer 0123456789abcdef', '0123456789abcdef')).to.equal(true);
    expect(hasToken('bearer 0123456789abcdef', '0123456789abcdef')).to.equal(true);
  });

  it('is not accepted in any other form', () => {
    for (const given of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      '0123456789abcdef',
      'Basic 0123456789abcdef',
      'Bearer 0123456789abcdeF',
      'Bearer 0123456789abcdef0',
    ])
      expect(hasToken(given, '0123456789abcdef'), given).to.equal(false);
  });
});
