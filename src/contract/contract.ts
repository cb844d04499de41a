/// <reference types="mocha" />
/**
 * The contract that every broker keeps, in specs for mocha: call `itKeepsTheContract` for each. What is known to differ
 * between brokers is a trait; whatever is not a trait holds for all. Exported as `sqs-containers/broker-contract`, for
 * brokers that others write.
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
import { showsWhatIsThere } from './inspect.ts';
import { polls } from './long-polls.ts';
import { keepsQueues } from './queues.ts';
import { receivesAndDeletes } from './receive.ts';
import { sends } from './send.ts';

export type { BrokerUnderTest, Traits } from './broker-under-test.ts';

/**
 * Describes the broker `name`, with mocha's `describe`, `it`, `before` and `after`. `start` and `stop` run once, around
 * all specs; `stop` closes what `start` and `secondBroker` opened. Each spec uses queues of its own, whose names start
 * with `contract-`. Left out, `traits` are those of a broker that can do everything.
 */
export function itKeepsTheContract(
  name: string,
  start: () => Promise<BrokerUnderTest>,
  stop: () => Promise<void>,
  traits: Traits = {},
): void {
  describe(`the contract, kept by ${name}`, () => {
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
    showsWhatIsThere(underTest, all);
  });
}
