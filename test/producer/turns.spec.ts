import { expect } from 'chai';
import { Turns } from '../../src/producer/turns.ts';

/** Lets the promises that are ready go on. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('turns', () => {
  /** Tasks in the order in which they began, and how to end each. */
  let begun: string[];
  let ends: Map<string, { resolve: () => void; reject: (error: Error) => void }>;

  beforeEach(() => {
    begun = [];
    ends = new Map();
  });

  function task(name: string): () => Promise<string> {
    return async () => {
      begun.push(name);
      await new Promise<void>((resolve, reject) => ends.set(name, { resolve, reject }));
      return `${name} done`;
    };
  }

  it('let at most so many tasks run at once, in order', async () => {
    const turns = new Turns(2);
    const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => turns.run(task(name))));
    await settle();
    expect(begun).to.deep.equal(['a', 'b']);
    ends.get('b')?.resolve();
    await settle();
    expect(begun).to.deep.equal(['a', 'b', 'c']);
    ends.get('a')?.resolve();
    await settle();
    ends.get('c')?.resolve();
    ends.get('d')?.resolve();
    expect(await all).to.deep.equal(['a done', 'b done', 'c done', 'd done']);
  });

  it('do not let a newcomer pass those that wait', async () => {
    const turns = new Turns(1);
    const first = turns.run(task('first'));
    const second = turns.run(task('second'));
    ends.get('first')?.resolve();
    await first;
    const third = turns.run(task('third'));
    await settle();
    expect(begun).to.deep.equal(['first', 'second']);
    ends.get('second')?.resolve();
    await second;
    await settle();
    ends.get('third')?.resolve();
    await third;
  });

  it('go on after a task that failed, and hand on its error', async () => {
    const turns = new Turns(1);
    const failure = turns.run(task('first')).catch((error: unknown) => error);
    const second = turns.run(task('second'));
    const reason = new Error('down');
    ends.get('first')?.reject(reason);
    expect(await failure).to.equal(reason);
    await settle();
    ends.get('second')?.resolve();
    expect(await second).to.equal('second done');
  });

  it('are free again when nobody waits', async () => {
    const turns = new Turns(1);
    expect(await turns.run(async () => 1)).to.equal(1);
    expect(await turns.run(async () => 2)).to.equal(2);
  });
});
