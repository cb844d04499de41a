import { expect } from 'chai';
import { type SinonFakeTimers, useFakeTimers } from 'sinon';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';
import { itKeepsTheContract } from '../../src/contract/contract.ts';

describe('the memory broker', () => {
  let clock: SinonFakeTimers;
  let broker: MemoryBroker;

  itKeepsTheContract(
    'the memory broker',
    async () => {
      clock = useFakeTimers({ now: Date.UTC(2026, 0, 1), toNotFake: ['nextTick', 'queueMicrotask'] });
      broker = new MemoryBroker();
      return {
        broker,
        advance: async (seconds) => {
          await clock.tickAsync(seconds * 1000);
        },
      };
    },
    async () => {
      await broker.close();
      expect(clock.countTimers(), 'timers left').to.equal(0);
      clock.restore();
    },
    { passesMinutes: true },
  );
});
