import { Socket } from 'node:net';
import { expect } from 'chai';
import sinon from 'sinon';
import { openBroker } from '../../src/brokers/open.ts';
import { postgres } from '../support/servers/postgres.ts';
import type { ServerKind } from '../support/servers/programs.ts';
import { redis } from '../support/servers/redis.ts';

describe('connections that may be idle for a long time', () => {
  afterEach(() => sinon.restore());

  for (const kind of [postgres, redis] satisfies ServerKind[]) {
    it(`use TCP keep-alive: ${kind.name}`, async function () {
      const address = kind.addressInEnvironment();
      if (!address) return this.skip();
      const keepAlive = sinon.spy(Socket.prototype, 'setKeepAlive');
      const broker = await openBroker(address);
      const queue = await broker.open('silence');
      const over = new AbortController();
      const waiting = queue.receive({ max: 1, waitSeconds: 20, signal: over.signal });
      const sockets = () => new Set(keepAlive.getCalls().map((call) => call.thisValue));
      // One for requests, one for notifications.
      while (sockets().size < 2) await new Promise((resolve) => setTimeout(resolve, 10));
      over.abort();
      await waiting;
      await broker.remove('silence');
      await broker.close();
      for (const { args } of keepAlive.getCalls()) expect(args).to.deep.equal([true, 10_000]);
    });
  }
});
