/**
 * A world: a broker, containers, a producer and redrives, in one process and in virtual time, from a plan. It runs until
 * the faults are over and everything is handled, or until an invariant does not hold. The same plan always gives the same
 * timeline.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Random, seeded, seedOf } from '../harness/random.ts';
import type { Broker } from '../src/brokers/broker.ts';
import { MemoryBroker } from '../src/brokers/memory/broker.ts';
import { MAX_DELAY_SECONDS } from '../src/brokers/rules/limits.ts';
import { openSqlite } from '../src/brokers/sql/sqlite/open.ts';
import type { Host } from '../src/host/host.ts';
import { moveMessages } from '../src/queues/move-messages.ts';
import { SimulatedContainer } from './container.ts';
import { apply, type Call, CallFaults, type Role, type TimedFault } from './faults.ts';
import type { Invariant, Violation } from './invariants.ts';
import { Ledger } from './ledger.ts';
import { type Network, ReachedQueue } from './network.ts';
import { type Attempt, type MessagePlan, type Plan, type Settings, TROUBLE_MS } from './plan.ts';
import { type Computer, SimulatedProcess } from './process.ts';
import { SqsModel } from './sqs-model.ts';
import { VirtualTime } from './virtual-time.ts';
import type { Surroundings } from './worker-process.ts';

export interface Result {
  readonly violation: Violation | undefined;
  /** The known faults that were seen; the world went on. */
  readonly known: ReadonlySet<Invariant>;
  /** What happened, line by line. */
  readonly timeline: readonly string[];
}

/** How long everything may take once nothing goes wrong any more, in milliseconds. */
const BOUND_MS = 30 * 60_000;
/** How long each attempt may take if they run one by one, with the pauses between them, in milliseconds. */
const ATTEMPT_MS = 4 * 60_000;
/** Where queue files are: in memory, where possible, because nobody pulls the plug here. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const ATTEMPTS_TO_SEND = 5;

type Queues = Pick<Broker, 'open' | 'description' | 'maxDelaySeconds'> & Partial<Pick<Broker, 'close'>>;

/** Runs the world of this plan. `isKnown` says which invariants may fail; `onViolation` is called when another one does. */
export async function runWorld(
  plan: Plan,
  isKnown: (invariant: Invariant) => boolean,
  onViolation?: () => void,
): Promise<Result> {
  const world = new World(plan, isKnown, onViolation);
  try {
    await world.run();
    const { ledger, timeline } = world;
    return { violation: ledger.violation, known: ledger.known, timeline: [...timeline] };
  } finally {
    await world.close();
  }
}

class World implements Surroundings {
  readonly timeline: string[] = [];
  readonly time = new VirtualTime();
  readonly settings: Settings;
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly ledger: Ledger;
  readonly #plan: Plan;
  readonly #faults: CallFaults;
  readonly #network: Network;
  readonly #containers: readonly SimulatedContainer[];
  readonly #attempts: ReadonlyMap<string, Attempt[]>;
  readonly #broker: Promise<Queues>;
  #folder: string | undefined;
  readonly #processes: SimulatedProcess[] = [];

  constructor(plan: Plan, isKnown: (invariant: Invariant) => boolean, onViolation: (() => void) | undefined) {
    const { time, log } = this;
    const { settings } = plan;
    this.#plan = plan;
    this.settings = settings;
    this.queue = plan.fifo ? 'work.fifo' : 'work';
    this.deadLetterQueue = plan.fifo ? 'failed.fifo' : 'failed';
    const ledger = new Ledger({ settings, time, log, isKnown, onViolation });
    this.ledger = ledger;
    this.#faults = new CallFaults(plan.faults);
    const random = this.#random('network');
    this.#network = { time, ledger, random, isLocal: plan.broker !== 'sqs', isThrottled: false };
    this.#broker = plan.broker === 'sqs' ? this.#modelSqs() : this.#openBroker(plan.broker);
    this.#attempts = new Map(plan.messages.map(({ number, attempts }) => [bodyOf(number), [...attempts]]));
    this.#containers = plan.containers.map((container) => new SimulatedContainer(container, this));
  }

  async run(): Promise<void> {
    await this.#until(this.#live(), () => this.ledger.violation !== undefined);
  }

  /** Lets time pass until the promise settles, or `isOver` says that it need not. */
  async #until(promise: Promise<void>, isOver = () => false): Promise<void> {
    let isSettled = false;
    const settled = promise.finally(() => {
      isSettled = true;
    });
    await this.time.run(() => isSettled || isOver());
    if (isSettled) await settled;
    else if (!isOver()) throw new Error('The world stands still.');
  }

  async close(): Promise<void> {
    // A world that failed ends in the middle: nobody may use the broker from now on.
    for (const container of this.#containers) container.stop();
    for (const process of this.#processes) process.kill();
    // Calls in progress end in virtual time.
    await this.#until((await this.#broker).close?.() ?? Promise.resolve());
    if (this.#folder) rmSync(this.#folder, { recursive: true });
  }

  readonly log = (who: string, what: string): void => {
    this.timeline.push(`${(this.time.now / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(13)} ${what}`);
  };

  spawn(name: string, computer: Computer = { clockOffset: 0 }): SimulatedProcess & Host {
    const role = name.split(' ')[0] as Role;
    const faultAt = (call: Call) => {
      const fault = this.#faults.at(role, call);
      if (fault) this.log(name, `fault: ${fault.does} (${call} ${fault.number}, ${fault.seconds} s)`);
      return fault;
    };
    const random = this.#random(`${name} ${this.#processes.length}`);
    const process = new SimulatedProcess(name, this.time, computer, random, faultAt);
    this.#processes.push(process);
    const open = async (queue: string) =>
      new ReachedQueue(process, await (await this.#broker).open(queue), this.#network);
    return Object.assign(process, { broker: { open } });
  }

  nextAttempt(body: string): Attempt {
    return this.#attempts.get(body)?.shift() ?? { does: 'succeed', milliseconds: 0 };
  }

  #random(name: string): Random {
    return seeded(seedOf(`${name} ${this.#plan.seed}`));
  }

  async #modelSqs(): Promise<Queues> {
    const { time, ledger } = this;
    const random = this.#random('queues');
    const { maxReceives, settings } = this.#plan;
    const visibilityTimeout = settings.visibilityTimeout ?? 30;
    const duplicated = (id: string) => ledger.duplicated(id);
    const moved = (body: string, id: string) => ledger.moved(body, id);
    const dead = new SqsModel(this.deadLetterQueue, time, random, { visibilityTimeout, duplicated });
    const deadLetterQueue = maxReceives === undefined ? undefined : { queue: dead, maxReceives, moved };
    const work = new SqsModel(this.queue, time, random, { visibilityTimeout, duplicated, deadLetterQueue });
    const open = async (name: string) => (name === work.name ? work : dead);
    return { description: 'a model of SQS', maxDelaySeconds: MAX_DELAY_SECONDS, open };
  }

  async #openBroker(kind: 'memory' | 'sqlite'): Promise<Queues> {
    const machine = new SimulatedProcess('broker', this.time, { clockOffset: 0 }, this.#random('broker'));
    if (kind === 'sqlite') this.#folder = mkdtempSync(join(FOLDER, 'simulation-'));
    const broker = this.#folder
      ? await openSqlite(join(this.#folder, 'queues.db'), { machine, watchFile: () => () => {} })
      : new MemoryBroker({ machine });
    const visibilityTimeout = this.settings.visibilityTimeout ?? 30;
    for (const name of [this.deadLetterQueue, this.queue]) await broker.create(name, { visibilityTimeout });
    return broker;
  }

  async #live(): Promise<void> {
    const { faults, messages, redrives } = this.#plan;
    for (const fault of faults) if ('at' in fault) this.time.at(fault.at, () => this.#apply(fault));
    this.time.at(TROUBLE_MS, () => {
      this.#faults.isOver = true;
    });
    await Promise.all([this.#produce(messages), ...redrives.map((at) => this.#redrive(at))]);
    await this.time.sleep(Math.max(0, TROUBLE_MS - this.time.now));
    const attempts = messages.flatMap((message) => message.attempts).length;
    const bound = this.time.now + BOUND_MS + attempts * ATTEMPT_MS;
    const isDone = async () => (await this.#left()) === 0 && this.ledger.open.length === 0;
    while (!(await isDone()) && this.time.now < bound) await this.time.sleep(1_000);
    if (!(await isDone())) this.ledger.stuck(await this.#left());
    this.log('', 'the end: everything drains');
    const alive = () => this.#containers.flatMap((container) => [...container.processes]).length;
    for (let second = 0; second < this.settings.drainTimeout + 200 && alive() > 0; second += 1) {
      if (second % 60 === 0) for (const container of this.#containers) container.stop();
      await this.time.sleep(1_000);
    }
    this.ledger.finish(await this.#left(), alive());
  }

  /** How many messages the queue has. */
  async #left(): Promise<number> {
    const queue = await (await this.#broker).open(this.queue);
    const { visible, inFlight, delayed } = await queue.counts();
    return visible + inFlight + delayed;
  }

  /** Sends messages one at a time, so that their order is known. */
  async #produce(messages: readonly MessagePlan[]): Promise<void> {
    let producer = this.spawn('producer');
    for (const message of messages) {
      await this.time.sleep(message.at - this.time.now);
      if (!producer.isAlive) producer = this.spawn('producer');
      await this.#send(producer, message);
    }
  }

  async #send(producer: SimulatedProcess & Host, { number, group }: MessagePlan): Promise<void> {
    const body = bodyOf(number);
    const outgoing = { body, ...(this.#plan.fifo && { groupId: group, deduplicationId: body }) };
    for (let attempt = 0; attempt < ATTEMPTS_TO_SEND; attempt += 1) {
      try {
        const queue = await producer.broker.open(this.queue);
        const results = await unlessKilled(producer, queue.send([outgoing]));
        if (results?.[0]?.ok) this.ledger.acknowledged(body);
        if (!results || results[0]?.ok) return;
      } catch {
        // Refused or unanswered.
      }
      await this.time.sleep(1_000);
    }
  }

  async #redrive(at: number): Promise<void> {
    await this.time.sleep(at);
    const process = this.spawn('redrive');
    this.log(process.name, 'starts');
    const source = await process.broker.open(this.deadLetterQueue);
    const target = await process.broker.open(this.queue);
    const moving = moveMessages(await this.#broker, source, target, { machine: process });
    const ended = await unlessKilled(process, moving).then(
      (report) => (report ? `moved ${report.moved}, failed ${report.failed.length}` : 'was killed'),
      (error: Error) => `failed: ${error.message}`,
    );
    this.log(process.name, ended);
  }

  #apply(fault: TimedFault): void {
    const processes = this.#containers.flatMap((container) => [...container.processes]);
    const process = processes[fault.victim % processes.length];
    const container = this.#containers[fault.victim % this.#containers.length];
    if (!process || !container) return;
    this.log(process.name, `fault: ${fault.does} (${fault.seconds} s)`);
    const end = apply(fault, { process, container, network: this.#network });
    if (end) this.time.at(this.time.now + fault.seconds * 1000, end);
  }
}

/** Undefined if the process ends first. */
function unlessKilled<Result>(
  process: SimulatedProcess,
  promise: Promise<Result>,
): Promise<Result | undefined> {
  const died = new Promise<undefined>((resolve) => process.onDeath(() => resolve(undefined)));
  return Promise.race([promise, died]);
}

function bodyOf(number: number): string {
  return `message ${number}`;
}
