/// <reference types="mocha" />
/**
 * The contract that every broker must fulfill, as mocha specs: call `itKeepsTheContract` for each broker. Known
 * differences between brokers are traits; everything else holds for all brokers. Exported as
 * `sqs-containers/broker-contract`, for custom brokers.
 */

import {
  type BrokerUnderTest,
  completeTraits,
  sleep,
  type Traits,
  type UnderTest,
} from './broker-under-test.ts';
import { changesVisibility } from './change-visibility.ts';
import { movesDeadLetters } from './dead-letters.ts';
import { hasNoFifoQueues, keepsOrderInGroups } from './fifo.ts';
import { inspectsQueues } from './inspect.ts';
import { polls } from './long-polls.ts';
import { keepsQueues } from './queues.ts';
import { receivesAndDeletes } from './receive.ts';
import { sends } from './send.ts';

export type { BrokerUnderTest, Traits } from './broker-under-test.ts';

/**
 * Defines the contract specs for the broker `name`, with mocha's `describe`, `it`, `before` and `after`. `start` runs once
 * before all specs, and `stop` once after them; `stop` must close what `start` and `secondBroker` opened. Each spec creates
 * its own queues, whose names start with `contract-`. By default, `traits` describe a broker that supports everything.
 */
export function itKeepsTheContract(
  name: string,
  start: () => Promise<BrokerUnderTest>,
  stop: () => Promise<void>,
  traits: Traits = {},
): void {
  describe(`the broker contract: ${name}`, () => {
    let started: ReturnType<UnderTest>;
    const underTest = () => started;
    const all = completeTraits(traits);

    before(async () => {
      started = { advance: sleep, ...(await start()) };
    });
    after(stop);

    sends(underTest, all);
    receivesAndDeletes(underTest, all);
    changesVisibility(underTest);
    polls(underTest);
    movesDeadLetters(underTest, all);
    if (all.fifo) keepsOrderInGroups(underTest, all);
    else hasNoFifoQueues(underTest);
    keepsQueues(underTest, all);
    inspectsQueues(underTest, all);
  });
}
