import { expect } from 'chai';
import { redacted } from '../../../src/observe/metrics/redacted.ts';

describe('a body as people may see it', () => {
  it('is cut', () => {
    expect(redacted('abcdef', 4)).to.equal('abcd…');
    expect(redacted('abcd', 4)).to.equal('abcd');
  });

  it('has no value of a key in JSON that is named like a secret, however deep', () => {
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
    it(`has no secret of ${text}`, () => {
      expect(redacted(text, 200)).to.contain('***').and.not.to.contain('abc');
    });
  }

  it('has no secret where it is too long to be parsed', () => {
    expect(redacted(`{"password":"abc","rest":"${'x'.repeat(70_000)}"}`, 100)).not.to.contain('abc');
  });

  it('has no password of a URL that is cut before its end', () => {
    expect(redacted('refused: https://me:abcdef@host/', 25)).not.to.contain('abc');
  });

  it('is as it is otherwise', () => {
    expect(redacted('TypeError: x is not a function', 100)).to.equal('TypeError: x is not a function');
  });
});
