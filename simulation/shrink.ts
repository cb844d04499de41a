/**
 * Makes a failing world smaller, for a person to read: leaves out faults, messages, redrives and containers, and
 * simplifies what is left, as long as the same invariant fails.
 */
import type { Invariant } from './ledger.ts';
import type { Plan } from './plan.ts';
import { runWorld } from './world.ts';

/** How many worlds to try, at most: some seconds. */
const MOST_TRIES = 1_000;

/** The smallest plan found in which this invariant fails. */
export async function shrink(plan: Plan, invariant: Invariant): Promise<Plan> {
  const shrinker = new Shrinker(plan, invariant);
  await shrinker.run();
  return shrinker.smallest;
}

type List = 'faults' | 'messages' | 'containers' | 'redrives';

class Shrinker {
  smallest: Plan;
  readonly #invariant: Invariant;
  #tries = 0;

  constructor(plan: Plan, invariant: Invariant) {
    this.smallest = plan;
    this.#invariant = invariant;
  }

  async run(): Promise<void> {
    for (let changed = true; changed; ) {
      changed = false;
      for (const list of ['faults', 'messages', 'redrives', 'containers'] as const) {
        changed = (await this.#shorten(list)) || changed;
      }
      changed = (await this.#simplify()) || changed;
    }
  }

  /** Leaves out halves of a list, then quarters, down to single items. */
  async #shorten(list: List): Promise<boolean> {
    let changed = false;
    for (
      let size = Math.ceil(this.smallest[list].length / 2);
      size >= 1;
      size = size === 1 ? 0 : Math.ceil(size / 2)
    ) {
      for (let start = 0; start < this.smallest[list].length; ) {
        const items = this.smallest[list].toSpliced(start, size);
        if (await this.#take({ ...this.smallest, [list]: items })) changed = true;
        else start += size;
      }
    }
    return changed;
  }

  /** One process for each container, fewer attempts at each message, and all containers from the start. */
  async #simplify(): Promise<boolean> {
    let changed = false;
    const { containers, messages } = this.smallest;
    for (const [index, container] of containers.entries()) {
      const simpler = { ...container, processes: 1, startsAt: 0 };
      if (container.processes === 1 && container.startsAt === 0) continue;
      const list = this.smallest.containers.with(index, simpler);
      changed = (await this.#take({ ...this.smallest, containers: list })) || changed;
    }
    for (const [index, message] of messages.entries()) {
      if (message.attempts.length === 0) continue;
      const simpler = { ...message, attempts: message.attempts.slice(0, -1) };
      changed =
        (await this.#take({ ...this.smallest, messages: this.smallest.messages.with(index, simpler) })) ||
        changed;
    }
    return changed;
  }

  /** Keeps a smaller plan if it fails in the same way. */
  async #take(plan: Plan): Promise<boolean> {
    if (this.#tries === MOST_TRIES || plan.containers.length === 0) return false;
    this.#tries += 1;
    const { violation } = await runWorld(plan, (invariant) => invariant !== this.#invariant);
    if (violation?.invariant !== this.#invariant) return false;
    this.smallest = plan;
    return true;
  }
}
