import { expect } from 'chai';
import { Gatherer } from '../../src/tasks/gather.ts';
import { rejection } from '../support/rejection.ts';

describe('a batch of inputs', () => {
  /** Collects two at a time; the handler ends when `end` is called. */
  function gathering() {
    const { promise, resolve: end } = Promise.withResolvers<void>();
    const handled: number[] = [];
    const gatherer = new Gatherer<number>(
      (inputs) => {
        handled.push(...inputs);
        return promise;
      },
      { size: 2 },
    );
    return { gatherer, handled, end };
  }

  it('loses an input whose signal aborts while it is waiting for others', async () => {
    const { gatherer, handled, end } = gathering();
    const abort = new AbortController();
    const leaving = rejection(gatherer.handle(1, undefined, abort.signal));
    abort.abort(new Error('too late'));
    expect((await leaving).message).to.equal('too late');
    const others = [2, 3].map((input) => gatherer.handle(input, undefined));
    end();
    await Promise.all(others);
    expect(handled).to.deep.equal([2, 3]);
  });

  it('does not lose inputs once it has started: a handled input has not failed', async () => {
    const { gatherer, handled, end } = gathering();
    const aborts = [new AbortController(), new AbortController()];
    const both = aborts.map(({ signal }, index) => gatherer.handle(index + 1, undefined, signal));
    for (const abort of aborts) abort.abort(new Error('too late'));
    end();
    await Promise.all(both);
    expect(handled).to.deep.equal([1, 2]);
  });
});
