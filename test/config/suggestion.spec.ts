import { expect } from 'chai';
import { suggest } from '../../src/config/suggestion.ts';

describe('a suggestion', () => {
  const allowed = ['poll', 'queue', 'visibility_timeout'];

  for (const [name, meant] of [
    ['pol', 'poll'],
    ['POLL', 'poll'],
    ['quuee', 'queue'],
    ['queues', 'queue'],
    ['visibilityTimeout', 'visibility_timeout'],
    ['visibility-timeout', 'visibility_timeout'],
    ['visible_timeout', 'visibility_timeout'],
  ] as const) {
    it(`for ${name} is ${meant}`, () => {
      expect(suggest(name, allowed, 'there are')).to.equal(`did you mean "${meant}"?`);
    });
  }

  for (const name of ['size', '', 'a name that is far longer than any', 'constructor']) {
    it(`lists all names if none is close to "${name}"`, () => {
      expect(suggest(name, allowed, 'there are')).to.equal('there are poll, queue, visibility_timeout');
    });
  }
});
