/**
 * What can go wrong, and when: at a time, to a process; or at a call that leaves a process, which is then killed before
 * or after the call took effect, or whose call fails, is slow, or takes effect unheard. Each fault is plain data, so that
 * a world can be shrunk by leaving faults out.
 */
import { between, type Random } from '../harness/random.ts';

/** What a process does in the world, and about how often it makes each call: faults are drawn among these. */
const CALLS = {
  container: {
    ...{ receive: 150, send: 15, delete: 60, changeVisibility: 60 },
    ...{ timer: 600, clock: 3_000, random: 40, file: 300, log: 20 },
  },
  producer: { send: 150 },
  redrive: { receive: 5, send: 5, delete: 5 },
};
export type Role = keyof typeof CALLS;
export type Call = keyof (typeof CALLS)['container'];

/** What can go wrong at a call. What is listed twice is drawn more often. */
const KILLS = ['kill before', 'kill after'] as const;
/** A request without a network; a refused one has no effect. */
const LOCAL = [...KILLS, 'refuse', 'slow request'] as const;
const REMOTE = [...LOCAL, 'lose request', 'lose answer', 'slow answer'] as const;
/** SQS: the answer has one message twice, or a message that is in flight or deleted. */
const RECEIVE = [...REMOTE, 'answer twice', 'answer twice', 'deliver again'] as const;
/** One entry fails, without an effect or in spite of it. */
const BATCH = [
  ...REMOTE,
  'slow request',
  'slow request',
  'fail entry',
  'fail entry',
  'fail entry unheard',
] as const;

/** At a call, counted over all processes with this role. */
export interface CallFault {
  readonly role: Role;
  readonly call: Call;
  /** It happens at the call with this number, 1 for the first. */
  readonly number: number;
  readonly does: (typeof RECEIVE | typeof BATCH)[number];
  readonly seconds: number;
  /** Which entry or message, modulo their number. */
  readonly entry: number;
}

/** What a fault at a time can do something to. */
interface Target {
  readonly process: {
    readonly kill: () => void;
    readonly stop: (milliseconds: number) => void;
    readonly block: (milliseconds: number, since: number) => void;
    partition: 'in' | 'out' | undefined;
    slowness: number;
  };
  readonly container: {
    readonly terminate: () => void;
    readonly order: (type: 'pause' | 'resume' | 'wake') => void;
    readonly files: { full: boolean };
    clockOffset: number;
  };
  readonly network: { isThrottled: boolean };
}

/** The faults at a time. A fault that lasts returns what ends it. */
const TIMED = {
  kill: ({ process }) => process.kill(),
  stop: ({ process }, ms) => process.stop(ms),
  // From now on, also if it is busy.
  block: ({ process }, ms) => process.block(ms, 0),
  terminate: ({ container }) => container.terminate(),
  'terminate twice': ({ container }) => {
    container.terminate();
    return () => container.terminate();
  },
  pause: ({ container }) => {
    container.order('pause');
    return () => container.order('resume');
  },
  wake: ({ container }) => container.order('wake'),
  /** No request gets out. */
  'partition out': ({ process }) => during(process, 'partition', 'out', undefined),
  /** No answer gets in. */
  'partition in': ({ process }) => during(process, 'partition', 'in', undefined),
  'slow network': ({ process }, ms) => during(process, 'slowness', ms, 0),
  throttle: ({ network }) => during(network, 'isThrottled', true, false),
  'full disk': ({ container }) => during(container.files, 'full', true, false),
  'clock forward': ({ container }, ms) => {
    container.clockOffset += ms * 100;
  },
  'clock back': ({ container }, ms) => {
    container.clockOffset -= ms;
  },
} satisfies Record<string, (target: Target, ms: number) => unknown>;

export interface TimedFault {
  /** In milliseconds. */
  readonly at: number;
  readonly does: keyof typeof TIMED;
  /** Which process or container, modulo their number. */
  readonly victim: number;
  readonly seconds: number;
}

export type Fault = CallFault | TimedFault;

/** Lets a timed fault happen. Returns what ends it after its time, if it lasts. */
export function apply({ does, seconds }: TimedFault, target: Target): (() => void) | undefined {
  return TIMED[does](target, seconds * 1000) ?? undefined;
}

function during<Of, Key extends keyof Of>(of: Of, key: Key, value: Of[Key], after: Of[Key]): () => void {
  of[key] = value;
  return () => {
    of[key] = after;
  };
}

/** The call faults of a world, and how many calls there were. */
export class CallFaults {
  readonly #faults: ReadonlyMap<string, CallFault>;
  readonly #counts = new Map<string, number>();
  isOver = false;

  constructor(faults: readonly Fault[]) {
    const ofCalls = faults.filter((fault) => 'call' in fault);
    this.#faults = new Map(ofCalls.map((fault) => [`${fault.role} ${fault.call} ${fault.number}`, fault]));
  }

  /** Counts a call, and returns the fault that happens at it, if any. */
  at(role: Role, call: Call): CallFault | undefined {
    if (this.isOver) return undefined;
    const key = `${role} ${call}`;
    const number = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, number);
    return this.#faults.get(`${key} ${number}`);
  }
}

export type Draw = ReturnType<typeof drawsFrom>;

/** Draws from random numbers. */
export function drawsFrom(random: Random) {
  return {
    chance: (share: number) => random() < share,
    pick: <Option>(...options: readonly Option[]): Option => options[Math.floor(random() * options.length)]!,
    /** A whole number, of at least `least` and below `most`. */
    between: (least: number, most: number) => Math.floor(between(least, most, random)),
  };
}

/** Faults during the first minute of a world. */
export function drawFaults(
  draw: Draw,
  broker: 'sqs' | 'memory' | 'sqlite',
  visibilityTimeout: number,
): Fault[] {
  // Much of what matters happens at about the pace of the visibility timeout.
  const milliseconds = () => draw.between(0, draw.pick(1_500 * visibilityTimeout, 5_000, 40_000));
  const seconds = () => milliseconds() / 1_000;
  const timed = (): Fault => ({
    at: draw.between(0, 60_000),
    does: draw.pick('stop', ...(Object.keys(TIMED) as TimedFault['does'][])),
    victim: draw.between(0, 60),
    seconds: seconds(),
  });
  const numberOf = (role: Role, call: Call) =>
    draw.between(1, 1 + (CALLS[role] as Record<Call, number>)[call]);
  const atCall = (): Fault => {
    const role = draw.chance(0.8) ? 'container' : draw.pick('producer', 'redrive');
    const calls = Object.keys(CALLS[role]) as Call[];
    const call = draw.pick(...(draw.chance(0.85) ? calls.slice(0, 4) : calls));
    const isRequest = ['receive', 'send', 'delete', 'changeVisibility'].includes(call);
    const ofBroker = broker !== 'sqs' ? LOCAL : call === 'receive' ? RECEIVE : BATCH;
    const does = draw.pick<CallFault['does']>(...(isRequest ? ofBroker : KILLS));
    return { role, call, number: numberOf(role, call), does, seconds: seconds(), entry: draw.between(0, 10) };
  };
  // In a world with few kinds of faults, they do not get in each other's way.
  const kinds = Array.from({ length: draw.pick(1, 3, 30) }, () => (draw.chance(0.3) ? timed() : atCall()));
  return Array.from({ length: draw.between(0, 40) }, (): Fault => {
    const fault = draw.pick(...kinds);
    if ('at' in fault) return { ...fault, at: draw.between(0, 60_000), seconds: seconds() };
    return { ...fault, number: numberOf(fault.role, fault.call), seconds: seconds() };
  });
}
