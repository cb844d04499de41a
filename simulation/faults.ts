/**
 * What can go wrong, and when: at a time, to a process; or at a call that leaves a process, which is then killed before
 * or after the call took effect, or whose call fails, is slow, or takes effect unheard. Each fault is plain data, so that
 * a world can be shrunk by leaving faults out.
 */
import { between, type Random } from '../harness/random.ts';
import type { SimulatedProcess } from './process.ts';

/** A call that leaves a process. */
export type Call =
  | 'receive'
  | 'send'
  | 'delete'
  | 'changeVisibility'
  | 'timer'
  | 'clock'
  | 'random'
  | 'file'
  | 'log';

/** What a process does in the world. */
export type Role = 'container' | 'producer' | 'redrive';

/** At a call, counted over all processes with this role. */
export interface CallFault {
  readonly role: Role;
  readonly call: Call;
  /** It happens at the call with this number, 1 for the first. */
  readonly number: number;
  readonly does:
    | 'kill before'
    | 'kill after'
    /** It fails and has no effect. */
    | 'refuse'
    | 'lose request'
    | 'lose answer'
    | 'slow request'
    | 'slow answer'
    /** One entry fails and has no effect. */
    | 'fail entry'
    /** One entry has an effect, and fails all the same. */
    | 'fail entry unheard'
    /** SQS: the answer has one message twice. */
    | 'answer twice'
    /** SQS: one message is delivered again, though it is in flight or deleted. */
    | 'deliver again';
  readonly seconds: number;
  /** Which entry or message, modulo their number. */
  readonly entry: number;
}

/** At a time. */
export interface TimedFault {
  /** In milliseconds. */
  readonly at: number;
  readonly does:
    | 'kill'
    | 'stop'
    | 'block'
    | 'terminate'
    | 'terminate twice'
    /** Receives no more for a while. */
    | 'pause'
    /** SIGUSR2. */
    | 'wake'
    /** No request gets out. */
    | 'partition out'
    /** No answer gets in. */
    | 'partition in'
    | 'slow network'
    | 'throttle'
    | 'full disk'
    | 'step the clock';
  /** Which process or container, modulo their number. */
  readonly victim: number;
  readonly seconds: number;
}

export type Fault = CallFault | TimedFault;

/** The highest number at which a fault of each call is drawn, by role: about what a world has. */
const MOST: Readonly<Record<Role, Partial<Record<Call, number>>>> = {
  container: {
    ...{ receive: 150, send: 15, delete: 60, changeVisibility: 60 },
    ...{ timer: 600, clock: 3_000, random: 40, file: 300, log: 20 },
  },
  producer: { send: 150 },
  redrive: { receive: 5, send: 5, delete: 5 },
};

/** Faults during the first minute of a world. */
export function drawFaults(random: Random, broker: 'sqs' | 'memory' | 'sqlite'): Fault[] {
  const pick = <T>(options: readonly T[]): T => options[Math.floor(random() * options.length)]!;
  const count = Math.floor(between(0, 40, random));
  // In a world with few kinds of faults, they do not get in each other's way.
  const kinds = random() < 0.5 ? 3 : 30;
  const seconds = () =>
    Math.round((random() < 0.7 ? between(0, 5, random) : between(5, 40, random)) * 1000) / 1000;
  const numberOf = (role: Role, call: Call) => 1 + Math.floor(between(0, MOST[role][call]!, random));
  const draw = (): Fault => {
    if (random() < 0.3) {
      const does = pick<TimedFault['does']>([
        ...(['kill', 'stop', 'stop', 'block', 'terminate', 'terminate twice', 'pause', 'wake'] as const),
        ...([
          'partition out',
          'partition in',
          'slow network',
          'throttle',
          'full disk',
          'step the clock',
        ] as const),
      ]);
      return {
        at: Math.round(between(0, 60_000, random)),
        does,
        victim: Math.floor(random() * 60),
        seconds: seconds(),
      };
    }
    const role = pick<Role>([
      ...Array.from({ length: 8 }, () => 'container' as const),
      'producer',
      'redrive',
    ]);
    const calls = Object.keys(MOST[role]) as Call[];
    const call = pick(random() < 0.85 ? calls.slice(0, 4) : calls);
    const does = pick(faultsOf(call, broker));
    return {
      role,
      call,
      number: numberOf(role, call),
      does,
      seconds: seconds(),
      entry: Math.floor(random() * 10),
    };
  };
  const kindsOfFaults = Array.from({ length: kinds }, draw);
  return Array.from({ length: count }, (): Fault => {
    const fault = pick(kindsOfFaults);
    if ('at' in fault) return { ...fault, at: Math.round(between(0, 60_000, random)), seconds: seconds() };
    return { ...fault, number: numberOf(fault.role, fault.call), seconds: seconds() };
  });
}

function faultsOf(call: Call, broker: 'sqs' | 'memory' | 'sqlite'): readonly CallFault['does'][] {
  const kills = ['kill before', 'kill after'] as const;
  if (!['receive', 'send', 'delete', 'changeVisibility'].includes(call)) return kills;
  // A call to a broker in the same process, or to a file, has no network.
  if (broker !== 'sqs') return [...kills, 'refuse', 'slow request'];
  const calls = [...kills, 'refuse', 'lose request', 'lose answer', 'slow request', 'slow answer'] as const;
  if (call === 'receive') return [...calls, 'answer twice', 'answer twice', 'deliver again'];
  return [...calls, 'fail entry', 'fail entry', 'fail entry unheard'];
}

/** The call faults of a world, and how many calls there were. */
export class CallFaults {
  /** By role and call, then by number. */
  readonly #faults = new Map<string, Map<number, CallFault>>();
  readonly #counts = new Map<string, number>();
  readonly #happens: (process: SimulatedProcess, fault: CallFault) => void;
  #isOver = false;

  constructor(faults: readonly Fault[], happens: (process: SimulatedProcess, fault: CallFault) => void) {
    for (const fault of faults) {
      if (!('call' in fault)) continue;
      const key = `${fault.role} ${fault.call}`;
      const numbered = this.#faults.get(key) ?? new Map<number, CallFault>();
      this.#faults.set(key, numbered.set(fault.number, fault));
    }
    this.#happens = happens;
  }

  /** Counts a call, and returns the fault that happens at it, if any. */
  at(call: Call, process: SimulatedProcess): CallFault | undefined {
    if (this.#isOver || !process.role) return undefined;
    const key = `${process.role} ${call}`;
    const faults = this.#faults.get(key);
    if (!faults) return undefined;
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    const fault = faults.get(count);
    if (fault) this.#happens(process, fault);
    return fault;
  }

  /** From now on, nothing goes wrong. */
  end(): void {
    this.#isOver = true;
  }
}
