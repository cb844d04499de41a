import { expect } from 'chai';
import { withoutSecretBehind, withoutSecrets } from '../../src/config/secrets.ts';

describe('secrets', () => {
  for (const key of [
    'password',
    'PASSWORD',
    'smtp_pass',
    'db_pwd',
    'api_key',
    'client-secret',
    'accessToken',
  ]) {
    it(`are values of the key ${key}`, () => expect(withoutSecrets(key, 'abc')).to.equal('***'));
  }

  const urls: [string, string][] = [
    ['pg://me:abc@host/x', 'pg://me:***@host/x'],
    ['redis://:abc@host', 'redis://:***@host'],
    ['http://me:a:b@c@host/?at=@', 'http://me:***@host/?at=@'],
    ['http://a:b@c,http://d:e@f/', 'http://a:***@c,http://d:***@f/'],
    ['pg://host/x?user=me&password=a%2Fb&b=c#d', 'pg://host/x?user=me&password=***&b=c#d'],
    ['https://host/?access_token=abc', 'https://host/?access_token=***'],
  ];
  for (const [url, shown] of urls) {
    it(`are passwords in URLs: ${shown}`, () => expect(withoutSecrets('url', url)).to.equal(shown));
  }

  it('are passwords in a broker address, even if it is not a URL', () => {
    const addresses = ['redis://me:a/b@c@host/1', 'postgres://host/x?sslmode=require&password=a/b'];
    expect(addresses.map((address) => withoutSecrets('broker', address))).to.deep.equal([
      'redis://me:***@host/1',
      'postgres://host/x?sslmode=require&password=***',
    ]);
  });

  for (const text of ['', 'abc', 'http://host:80/me@x', 'me@example.org', 'a:b@c']) {
    it(`are not in "${text}"`, () => expect(withoutSecrets('url', text)).to.equal(text));
  }

  for (const [key, shown] of [
    ['password: abc', 'password…'],
    ['export api_key=abc', 'export…'],
    ['[token = abc', '[token…'],
    ['password', 'password'],
    ['poll 20', 'poll 20'],
  ] as const) {
    it(`are cut off from a malformed key: ${shown}`, () => {
      expect(withoutSecretBehind(key)).to.equal(shown);
    });
  }
});
