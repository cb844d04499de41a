/**
 * What happens in a world, as plain data: its queues, containers, messages and faults. A seed gives a plan; a plan can
 * be shrunk and printed.
 */
import { between, type Random, seeded } from '../harness/random.ts';
import { type ContainerSettings, defaultSettings } from '../src/config/config.ts';
import { drawFaults, type Fault } from './faults.ts';

/** What a worker does in one attempt at a message, after so many milliseconds. */
export interface Attempt {
  readonly does:
    | 'succeed'
    | 'fail'
    | 'retry'
    | 'retry later'
    /** Returns when its signal aborts. */
    | 'wait for abort'
    /** Ignores its signal for two minutes. */
    | 'hang'
    | 'extend'
    | 'send'
    | 'block'
    | 'exit'
    /** Returns, and its timer ends the process afterwards. */
    | 'exit later'
    /** Returns, and its timer throws afterwards. */
    | 'throw later';
  readonly milliseconds: number;
}

export interface MessagePlan {
  /** Unique; the messages of a group are sent in this order. */
  readonly number: number;
  /** When it is sent, in milliseconds. */
  readonly at: number;
  readonly group: string;
  /** What its worker does, attempt by attempt; later attempts succeed. */
  readonly attempts: readonly Attempt[];
}

export interface ContainerPlan {
  readonly number: number;
  readonly startsAt: number;
  readonly processes: number;
}

export type Settings = Omit<ContainerSettings, 'queue' | 'worker'>;

export interface Plan {
  readonly seed: number;
  readonly broker: 'sqs' | 'memory' | 'sqlite';
  readonly fifo: boolean;
  /** The receives after which the broker moves a message to the dead-letter queue; undefined: never. */
  readonly maxReceives: number | undefined;
  readonly settings: Settings;
  readonly containers: readonly ContainerPlan[];
  readonly messages: readonly MessagePlan[];
  /** When the dead-letter queue is redriven. */
  readonly redrives: readonly number[];
  readonly faults: readonly Fault[];
}

/** How long messages are sent and faults happen, in milliseconds. */
export const TROUBLE_MS = 60_000;

/** The world of this seed. */
export function planOf(seed: number): Plan {
  const random = seeded(seed);
  const chance = (share: number) => random() < share;
  const pick = <T>(...options: readonly T[]): T => options[Math.floor(random() * options.length)]!;
  const broker = chance(0.1) ? 'sqlite' : chance(0.15) ? 'memory' : 'sqs';
  const fifo = chance(0.4);
  const settings = drawSettings(chance, pick, random);
  const containers = Array.from({ length: pick(1, 1, 2, 2, 3, 4, 5) }, (_, index) => ({
    number: index + 1,
    startsAt: chance(0.7) ? 0 : Math.round(between(0, 20_000, random)),
    processes: chance(0.25) ? pick(2, 3) : 1,
  }));
  const messages = drawMessages(chance, pick, random);
  return {
    ...{ seed, broker, fifo, settings },
    // A queue file is slower than everything else here.
    containers: broker === 'sqlite' ? containers.slice(0, 2) : containers,
    messages: broker === 'sqlite' ? messages.slice(0, 30) : messages,
    // The model reports its moves.
    maxReceives: broker === 'sqs' && chance(0.2) ? pick(2, 3, 5) : undefined,
    redrives: chance(0.5) ? [between(20_000, TROUBLE_MS, random)] : [],
    faults: drawFaults(random, broker),
  };
}

type Chance = (share: number) => boolean;
type Pick = <T>(...options: readonly T[]) => T;

function drawSettings(chance: Chance, pick: Pick, random: Random): Settings {
  const { queue: _, worker: __, ...defaults } = defaultSettings();
  return {
    ...defaults,
    concurrency: pick(1, 2, 4, 10),
    prefetch: pick<Settings['prefetch']>('auto', 'auto', 0, 10),
    poll: pick(1, 5, 20),
    idlePause: chance(0.2) ? 5 : 0,
    visibilityTimeout: pick(2, 4, 10, 30),
    handlerTimeout: pick(undefined, 1, 5, 20),
    settleDelay: pick(0, 200),
    onError: pick('delete', 'retry', 'dead_letter'),
    backoff: pick('none', 'constant', 'exponential'),
    backoffBase: pick(1, 2, 8),
    backoffMax: pick(10, 60),
    crashLimit: pick(0, 1, 2, 3),
    deleteOnStart: chance(0.1),
    messageLimit: chance(0.1) ? Math.round(between(5, 50, random)) : undefined,
    idleExit: chance(0.1) ? pick(3, 20) : undefined,
    drainTimeout: pick(0, 3, 10, 30),
    deadLetterQueue: 'failed',
  };
}

/** Usually most messages are quick; in some worlds, all are troublesome. */
function drawMessages(chance: Chance, pick: Pick, random: Random): MessagePlan[] {
  const count = pick(10, 50, 100, 100, 150);
  const trouble = pick(0.05, 0.2, 0.5);
  const groups = pick(['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  const crashes = chance(0.4) ? 2 / count : 0;
  const quick = pick(0.9, 0.7, 0.3);
  const isBurst = chance(0.3);
  const times = Array.from({ length: count }, () => between(0, isBurst ? 3_000 : TROUBLE_MS * 0.7, random));
  times.sort((one, other) => one - other);
  const duration = () => Math.round(chance(quick) ? between(0, 50, random) : between(0, 12_000, random));
  const troubled = (): Attempt => ({
    does: chance(crashes * 10)
      ? pick('exit', 'exit later')
      : pick(
          'fail',
          'fail',
          'fail',
          'retry',
          'retry later',
          'wait for abort',
          'hang',
          'extend',
          'send',
          'block',
        ),
    milliseconds: duration(),
  });
  return times.map((at, index) => {
    const attempts: Attempt[] = [];
    if (chance(crashes)) {
      // Ends its process each time, until crash_limit stops it.
      const does = pick('exit', 'exit later', 'throw later');
      const milliseconds = pick(10, 50, 1_000);
      for (let attempt = 0; attempt < 6; attempt += 1) attempts.push({ does, milliseconds });
    } else {
      while (attempts.length < 4 && chance(trouble)) attempts.push(troubled());
      attempts.push({ does: 'succeed', milliseconds: duration() });
    }
    return { number: index + 1, at: Math.round(at), group: pick(...groups), attempts };
  });
}
