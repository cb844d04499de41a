import { expect } from 'chai';
import { redacted } from '../../../src/observe/metrics/redacted.ts';

describe('a redacted body', () => {
  it('is truncated', () => {
    expect(redacted('abcdef', 4)).to.equal('abcd…');
    expect(redacted('abcd', 4)).to.equal('abcd');
  });

  it('hides the values of secret-looking keys in JSON, however deep', () => {
    expect(redacted('[["ann"],{"password":"abc","more":[{"apiKey":{"a":1},"to":"b"}]}]', 200)).to.equal(
      '[["ann"],{"password":"***","more":[{"apiKey":"***","to":"b"}]}]',
    );
  });

  for (const text of [
    'password=abc',
    'password: abc',
    '{"token": "abc def',
    "db_secret='abc'",
    'Authorization: Bearer abc',
    'postgres://me:abc@host/db refused',
    '["see https://me:abc@host/"]',
  ]) {
    it(`hides the secret in ${text}`, () => {
      expect(redacted(text, 200)).to.contain('***').and.not.to.contain('abc');
    });
  }

  it('hides secrets even if it is too long to parse', () => {
    expect(redacted(`{"password":"abc","rest":"${'x'.repeat(70_000)}"}`, 100)).not.to.contain('abc');
  });

  it('hides the password of a truncated URL', () => {
    expect(redacted('refused: https://me:abcdef@host/', 25)).not.to.contain('abc');
  });

  it('is otherwise unchanged', () => {
    expect(redacted('TypeError: x is not a function', 100)).to.equal('TypeError: x is not a function');
  });
});
