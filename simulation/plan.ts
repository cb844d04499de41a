/**
 * What happens in a world, as plain data: its queues, containers, messages and faults. A seed gives a plan; a plan can
 * be shrunk and printed.
 */
import { seeded } from '../harness/random.ts';
import { type ContainerSettings, defaultSettings } from '../src/config/config.ts';
import { type Draw, drawFaults, drawsFrom, type Fault } from './faults.ts';

/** What a worker does in one attempt at a message, after so many milliseconds. */
export interface Attempt {
  readonly does: (typeof TROUBLES | typeof CRASHES)[number] | 'succeed';
  readonly milliseconds: number;
}

/** `wait for abort` heeds its signal, `hang` ignores it for two minutes. What is listed twice is drawn more often. */
const TROUBLES = [
  ...(['fail', 'fail', 'fail', 'retry', 'retry later', 'retry later', 'retry later'] as const),
  ...(['wait for abort', 'hang', 'extend', 'send', 'block'] as const),
] as const;
/** `exit later` and `throw later`: it returns, and its timer ends the process, or throws, afterwards. */
const CRASHES = ['exit', 'exit later', 'throw later'] as const;

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
  const draw = drawsFrom(seeded(seed));
  const broker = draw.chance(0.1) ? 'sqlite' : draw.chance(0.15) ? 'memory' : 'sqs';
  const containers = Array.from({ length: draw.pick(1, 1, 2, 2, 3, 4, 5) }, (_, index) => ({
    number: index + 1,
    startsAt: draw.chance(0.7) ? 0 : draw.between(0, 20_000),
    processes: draw.chance(0.25) ? draw.pick(2, 3) : 1,
  }));
  const messages = drawMessages(draw);
  const settings = drawSettings(draw);
  return {
    ...{ seed, broker, settings, fifo: draw.chance(0.4) },
    // A queue file is slower than everything else here.
    containers: broker === 'sqlite' ? containers.slice(0, 2) : containers,
    messages: broker === 'sqlite' ? messages.slice(0, 30) : messages,
    // The model reports its moves.
    maxReceives: broker === 'sqs' && draw.chance(0.2) ? draw.pick(2, 3, 5) : undefined,
    redrives: draw.chance(0.5) ? [draw.between(20_000, TROUBLE_MS)] : [],
    faults: drawFaults(draw, broker, settings.visibilityTimeout ?? 30),
  };
}

function drawSettings(draw: Draw): Settings {
  const { queue: _, worker: __, ...defaults } = defaultSettings();
  return {
    ...defaults,
    concurrency: draw.pick(1, 2, 4, 10),
    prefetch: draw.pick<Settings['prefetch']>('auto', 'auto', 0, 10),
    poll: draw.pick(1, 5, 20),
    idlePause: draw.chance(0.2) ? 5 : 0,
    visibilityTimeout: draw.pick(2, 4, 10, 30),
    handlerTimeout: draw.pick(undefined, 1, 5, 20),
    settleDelay: draw.pick(0, 200),
    onError: draw.pick('delete', 'retry', 'dead_letter'),
    backoff: draw.pick('none', 'constant', 'exponential'),
    backoffBase: draw.pick(1, 2, 8),
    backoffMax: draw.pick(10, 60),
    crashLimit: draw.pick(0, 1, 2, 3),
    deleteOnStart: draw.chance(0.1),
    messageLimit: draw.chance(0.1) ? draw.between(5, 50) : undefined,
    idleExit: draw.chance(0.1) ? draw.pick(3, 20) : undefined,
    drainTimeout: draw.pick(0, 3, 10, 30),
    deadLetterQueue: 'failed',
  };
}

/** Usually most messages are quick; in some worlds, all are troublesome. */
function drawMessages(draw: Draw): MessagePlan[] {
  const count = draw.pick(10, 50, 100, 100, 150);
  const trouble = draw.pick(0.05, 0.2, 0.5);
  const groups = [...'abcdefgh'].slice(0, draw.pick(1, 3, 8));
  const crashes = draw.chance(0.4) ? 2 / count : 0;
  const quick = draw.pick(0.9, 0.7, 0.3);
  const lastAt = draw.chance(0.3) ? 3_000 : TROUBLE_MS * 0.7;
  const times = Array.from({ length: count }, () => draw.between(0, lastAt)).sort(
    (one, other) => one - other,
  );
  const attempt = (does: Attempt['does']): Attempt => ({
    does,
    milliseconds: draw.chance(quick) ? draw.between(0, 50) : draw.between(0, 12_000),
  });
  return times.map((at, index) => {
    const attempts: Attempt[] = [];
    if (draw.chance(crashes)) {
      // Ends its process each time, until crash_limit stops it.
      const crash = { does: draw.pick(...CRASHES), milliseconds: draw.pick(10, 50, 1_000) };
      attempts.push(crash, crash, crash, crash, crash, crash);
    }
    while (attempts.length < 4 && draw.chance(trouble)) {
      attempts.push(
        attempt(draw.chance(crashes * 10) ? draw.pick('exit', 'exit later') : draw.pick(...TROUBLES)),
      );
    }
    attempts.push(attempt('succeed'));
    return { number: index + 1, at, group: draw.pick(...groups), attempts };
  });
}
