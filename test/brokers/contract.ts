/**
 * The contract that every broker keeps, in specs: call `itKeepsTheContract` for each. What is known to differ between
 * brokers is a trait; whatever is not a trait holds for all. The specs themselves are in `contract/`.
 */
import { changesVisibility } from './contract/changing-visibility.ts';
import { movesDeadLetters } from './contract/dead-letters.ts';
import { keepsOrderInGroups } from './contract/fifo.ts';
import { polls } from './contract/long-polls.ts';
import { keepsQueues } from './contract/queues.ts';
import { receivesAndDeletes } from './contract/receiving.ts';
import { sends } from './contract/sending.ts';
import type { BrokerUnderTest, Traits } from './contract/under-test.ts';

export { type BrokerUnderTest, EMBEDDED_TRAITS, type Traits } from './contract/under-test.ts';

/**
 * Describes the broker `name`. `start` and `stop` run once, around all specs; each spec uses queues of its own, whose
 * names start with `contract-`. `stop` closes what `start` and `secondBroker` opened.
 */
export function itKeepsTheContract(
  name: string,
  start: () => Promise<BrokerUnderTest>,
  stop: () => Promise<void>,
  traits: Traits,
): void {
  describe(`the contract, kept by ${name}`, () => {
    let started: BrokerUnderTest;
    const underTest = () => started;

    before(async () => {
      started = await start();
    });
    after(stop);

    sends(underTest, traits);
    receivesAndDeletes(underTest, traits);
    changesVisibility(underTest);
    polls(underTest, traits);
    movesDeadLetters(underTest, traits);
    keepsOrderInGroups(underTest, traits);
    keepsQueues(underTest, traits);
  });
}
