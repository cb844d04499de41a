import { expect } from 'chai';
import sinon from 'sinon';
import { Batcher, type BatcherOptions } from '../../src/brokers/batcher.ts';

/** A request that the batcher has sent: the spec decides when it is answered. */
interface Request {
  readonly entries: string[];
  readonly answer: () => void;
}

/** Runs pending promise callbacks. */
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
      maxEntries: 10,
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
    it('sends ten entries immediately', () => {
      addAll(makeBatcher({ delayMs: 50 }), 'abcdefghij');
      expect(sent()).to.deep.equal(['abcdefghij']);
      expect(clock.countTimers()).to.equal(0);
    });

    it('sends fewer entries after the first one has waited for the delay', async () => {
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

    it('starts a new delay for entries beyond the first ten', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      batcher.add('a');
      await clock.tickAsync(40);
      addAll(batcher, 'bcdefghijk');
      await clock.tickAsync(49);
      expect(sent()).to.deep.equal(['abcdefghij']);
      await clock.tickAsync(1);
      expect(sent()).to.deep.equal(['abcdefghij', 'k']);
    });

    it('does not wait for requests in progress', async () => {
      const batcher = makeBatcher({ delayMs: 50 });
      batcher.add('a');
      await clock.tickAsync(50);
      batcher.add('b');
      await clock.tickAsync(50);
      expect(sent()).to.deep.equal(['a', 'b']);
    });
  });

  describe('without a delay', () => {
    it('batches entries that are added together', async () => {
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

    it('collects entries while a partial batch is in progress', async () => {
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

    it('collects them for half a second at most, because a request may hang', async () => {
      const batcher = makeBatcher();
      batcher.add('a');
      await settle();
      batcher.add('b');
      await clock.tickAsync(400);
      batcher.add('c');
      await clock.tickAsync(99);
      expect(sent()).to.deep.equal(['a']);
      await clock.tickAsync(1);
      expect(sent()).to.deep.equal(['a', 'bc']);
      requests[1]?.answer();
      await settle();
      batcher.add('d');
      await clock.tickAsync(500);
      expect(sent()).to.deep.equal(['a', 'bc', 'd']);
      for (const { answer } of requests) answer();
      await settle();
      expect(clock.countTimers()).to.equal(0);
    });

    it('sends a full batch even while a partial one is in progress', async () => {
      const batcher = makeBatcher();
      batcher.add('a');
      await settle();
      addAll(batcher, 'bcdefghijkl');
      await settle();
      expect(sent()).to.deep.equal(['a', 'bcdefghijk']);
      requests[1]?.answer();
      await settle();
      expect(sent(), 'the partial batch is still in progress').to.have.length(2);
      requests[0]?.answer();
      await settle();
      expect(sent()).to.deep.equal(['a', 'bcdefghijk', 'l']);
    });

    it('does not wait for a full batch in progress', async () => {
      const batcher = makeBatcher();
      addAll(batcher, 'abcdefghij');
      await settle();
      batcher.add('k');
      await settle();
      expect(sent()).to.deep.equal(['abcdefghij', 'k']);
    });
  });

  describe('with a size limit', () => {
    const bytes = { of: (entry: string) => entry.length, max: 6 };

    it('sends the batch when the next entry would exceed the limit', async () => {
      const batcher = makeBatcher({ bytes });
      addAll(batcher, ['aaa', 'bbb', 'c']);
      expect(sent()).to.deep.equal(['aaabbb']);
      await settle();
      expect(sent()).to.deep.equal(['aaabbb', 'c']);
    });

    it('counts from zero for each request', async () => {
      const batcher = makeBatcher({ bytes });
      addAll(batcher, ['aaaa', 'bbbb', 'cc', 'dddd']);
      await settle();
      expect(sent()).to.deep.equal(['aaaa', 'bbbbcc', 'dddd']);
    });

    it('sends an entry that exceeds the limit alone, so that the broker refuses it', async () => {
      const batcher = makeBatcher({ bytes });
      addAll(batcher, ['aaaaaaaaa', 'b', 'ccccccccc']);
      await settle();
      expect(sent()).to.deep.equal(['aaaaaaaaa', 'b', 'ccccccccc']);
    });
  });

  describe('when flushed', () => {
    it('sends immediately and resolves when all requests are answered', async () => {
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

    it('also sends entries that are added in the meantime', async () => {
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

    it('resolves immediately if there are no entries', async () => {
      await makeBatcher().flush();
      expect(sent()).to.deep.equal([]);
    });
  });
});
