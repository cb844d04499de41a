import { expect } from 'chai';
import sinon from 'sinon';
import { Batcher, type BatcherOptions } from '../../src/brokers/batcher.ts';

/** A request that the batcher has sent: the spec says when it is answered. */
interface Request {
  readonly entries: string[];
  readonly answer: () => void;
}

/** Lets the promises that are ready go on. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a batcher', () => {
  let clock: sinon.SinonFakeTimers;
  let requests: Request[];

  beforeEach(() => {
    clock = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    requests = [];
  });

  afterEach(() => {
    sinon.restore();
  });

  function makeBatcher(options: Partial<BatcherOptions<string>> = {}): Batcher<string> {
    return new Batcher({
      delayMs: 0,
      send: (entries) => new Promise((answer) => requests.push({ entries, answer })),
      ...options,
    });
  }

  function addAll(batcher: Batcher<string>, entries: Iterable<string>): void {
    for (const entry of entries) batcher.add(entry);
  }

  /** The entries of each request: `['abc', 'd']`. */
  function sent(): string[] {
    return requests.map(({ entries }) => entries.join(''));
  }

  describe('with a delay', () => {
    it('sends ten entries at once', () => {
      addAll(makeBatcher({ delayMs: 50 }), 'abcdefghij');
      expect(sent()).to.deep.equal(['abcdefghij']);
      expect(clock.countTimers()).to.equal(0);
    });

    it('sends fewer when the first of them has waited for the delay', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      batcher.add('a');
      await clock.tickAsync(49);
      batcher.add('b');
      expect(sent()).to.deep.equal([]);
      await clock.tickAsync(1);
      expect(sent()).to.deep.equal(['ab']);
      await clock.tickAsync(1000);
      expect(sent()).to.deep.equal(['ab']);
    });

    it('gives what is left beyond ten a delay of its own', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      batcher.add('a');
      await clock.tickAsync(40);
      addAll(batcher, 'bcdefghijk');
      await clock.tickAsync(49);
      expect(sent()).to.deep.equal(['abcdefghij']);
      await clock.tickAsync(1);
      expect(sent()).to.deep.equal(['abcdefghij', 'k']);
    });

    it('does not wait for requests under way', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      batcher.add('a');
      await clock.tickAsync(50);
      batcher.add('b');
      await clock.tickAsync(50);
      expect(sent()).to.deep.equal(['a', 'b']);
    });
  });

  describe('without a delay', () => {
    it('sends together what is added together', async () => {
      const batcher = makeBatcher();
      addAll(batcher, 'abc');
      expect(sent()).to.deep.equal([]);
      await Promise.resolve();
      expect(sent()).to.deep.equal(['abc']);
      expect(clock.countTimers()).to.equal(0);
    });

    it('sends twenty-five entries in three requests', async () => {
      addAll(makeBatcher(), 'abcdefghijklmnopqrstuvwxy');
      expect(sent()).to.deep.equal(['abcdefghij', 'klmnopqrst']);
      await settle();
      expect(sent()).to.deep.equal(['abcdefghij', 'klmnopqrst', 'uvwxy']);
    });

    it('gathers while a partial batch is under way', async () => {
      const batcher = makeBatcher();
      batcher.add('a');
      await settle();
      batcher.add('b');
      await settle();
      batcher.add('c');
      await settle();
      expect(sent()).to.deep.equal(['a']);
      requests[0]?.answer();
      await settle();
      expect(sent()).to.deep.equal(['a', 'bc']);
    });

    it('sends a full batch also while a partial one is under way', async () => {
      const batcher = makeBatcher();
      batcher.add('a');
      await settle();
      addAll(batcher, 'bcdefghijkl');
      await settle();
      expect(sent()).to.deep.equal(['a', 'bcdefghijk']);
      requests[1]?.answer();
      await settle();
      expect(sent(), 'the partial batch is still under way').to.have.length(2);
      requests[0]?.answer();
      await settle();
      expect(sent()).to.deep.equal(['a', 'bcdefghijk', 'l']);
    });

    it('does not wait for a full batch under way', async () => {
      const batcher = makeBatcher();
      addAll(batcher, 'abcdefghij');
      await settle();
      batcher.add('k');
      await settle();
      expect(sent()).to.deep.equal(['abcdefghij', 'k']);
    });
  });

  describe('with a limit of bytes', () => {
    const bytes = { of: (entry: string) => entry.length, max: 6 };

    it('sends what has gathered when the next entry would be too much', async () => {
      const batcher = makeBatcher({ bytes });
      addAll(batcher, ['aaa', 'bbb', 'c']);
      expect(sent()).to.deep.equal(['aaabbb']);
      await settle();
      expect(sent()).to.deep.equal(['aaabbb', 'c']);
    });

    it('counts from nothing for each request', async () => {
      const batcher = makeBatcher({ bytes });
      addAll(batcher, ['aaaa', 'bbbb', 'cc', 'dddd']);
      await settle();
      expect(sent()).to.deep.equal(['aaaa', 'bbbbcc', 'dddd']);
    });

    it('sends an entry beyond the limit alone, for the broker to refuse', async () => {
      const batcher = makeBatcher({ bytes });
      addAll(batcher, ['aaaaaaaaa', 'b', 'ccccccccc']);
      await settle();
      expect(sent()).to.deep.equal(['aaaaaaaaa', 'b', 'ccccccccc']);
    });
  });

  describe('when flushed', () => {
    it('sends at once and resolves when everything is answered', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      addAll(batcher, 'abcdefghijk');
      let flushed = false;
      const flush = batcher.flush().then(() => {
        flushed = true;
      });
      expect(sent()).to.deep.equal(['abcdefghij', 'k']);
      requests[1]?.answer();
      await settle();
      expect(flushed).to.equal(false);
      requests[0]?.answer();
      await flush;
      expect(clock.countTimers()).to.equal(0);
    });

    it('sends what is added in the meantime, too', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      batcher.add('a');
      const flush = batcher.flush();
      batcher.add('b');
      requests[0]?.answer();
      await settle();
      expect(sent()).to.deep.equal(['a', 'b']);
      requests[1]?.answer();
      await flush;
    });

    it('resolves at once when there is nothing', async () => {
      await makeBatcher().flush();
      expect(sent()).to.deep.equal([]);
    });
  });
});
