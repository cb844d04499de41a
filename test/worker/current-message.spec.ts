import { expect } from 'chai';
import { currentMessage, type MessageContext, withCurrentMessage } from '../../src/worker/current-message.ts';

describe('the current message', () => {
  const context = (body: string): MessageContext => ({
    message: { id: body, body, receiptHandle: '', receiveCount: 1, attributes: {}, sentAt: 0 },
    queue: { name: 'work' },
    signal: new AbortController().signal,
    log: { error() {}, warn() {}, info() {}, debug() {} },
    extend: async () => {},
  });

  it('is available in the functions that the worker calls, also after an await', async () => {
    const inner = async () => {
      await Promise.resolve();
      return currentMessage().body;
    };
    const [a, b] = await Promise.all(['a', 'b'].map((body) => withCurrentMessage(context(body), inner)));
    expect([a, b]).to.deep.equal(['a', 'b']);
  });

  it('is not available outside a worker: an error says so', () => {
    withCurrentMessage(context('a'), () => {});
    expect(() => currentMessage()).to.throw(
      'currentMessage() was called outside a worker: no message is being handled.',
    );
  });

  it('creates a signal only on first use', () => {
    const lazy = { ...context('a') };
    Object.defineProperty(lazy, 'signal', {
      get() {
        throw new Error('asked for');
      },
    });
    withCurrentMessage(lazy, () => {
      expect(currentMessage().id).to.equal('a');
      expect(() => currentMessage().signal).to.throw('asked for');
    });
  });

  it('is shared by all copies of the package in the process', async () => {
    const specifier = '../../src/worker/current-message.ts?another-copy';
    const copy = (await import(specifier)) as { currentMessage: typeof currentMessage };
    expect(copy.currentMessage).not.to.equal(currentMessage);
    withCurrentMessage(context('a'), () => {
      expect(copy.currentMessage().body).to.equal('a');
    });
  });
});
