/**
 * A world: a broker, containers, a producer and redrives, in one process and in virtual time, from a plan. It runs until
 * the faults are over and everything is handled, or until an invariant does not hold. The same plan always gives the same
 * timeline.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded, seedOf } from '../harness/random.ts';
import type { Broker, Queue } from '../src/brokers/broker.ts';
import { MemoryBroker } from '../src/brokers/memory/broker.ts';
import { openSqlite } from '../src/brokers/sql/sqlite/open.ts';
import type { Host } from '../src/host/host.ts';
import { moveMessages } from '../src/queues/move-messages.ts';
import { SimulatedContainer } from './container.ts';
import { apply, type Call, CallFaults, type Role, type TimedFault } from './faults.ts';
import { type Invariant, Ledger, type Violation } from './invariants.ts';
import { type Network, ReachedQueue } from './network.ts';
import { type Attempt, type MessagePlan, type Plan, TROUBLE_MS } from './plan.ts';
import { type Computer, SimulatedProcess } from './process.ts';
import { SqsModel, SqsModelBroker } from './sqs-model.ts';
import { VirtualTime } from './virtual-time.ts';

export interface Result {
  readonly violation: Violation | undefined;
  /** The known faults that were seen; the world went on. */
  readonly known: ReadonlySet<Invariant>;
  /** What happened, line by line. */
  readonly timeline: readonly string[];
}

/** How long everything may take once nothing goes wrong any more, in milliseconds. */
const BOUND_MS = 30 * 60_000;
/** Where queue files are: in memory, where possible, because nobody pulls the plug here. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const ATTEMPTS_TO_SEND = 5;
const DONE: Attempt = { does: 'succeed', milliseconds: 0 };

type Brokers = Pick<Broker, 'open' | 'description' | 'maxDelaySeconds'>;

/**
 * Runs the world of this plan. `isKnown` says which invariants may fail; `onViolation` is called when another one does.
 */
export async function runWorld(
  plan: Plan,
  isKnown: (invariant: Invariant) => boolean,
  onViolation?: () => void,
): Promise<Result> {
  const world = new World(plan, isKnown, onViolation);
  try {
    await world.run();
  } finally {
    await world.close();
  }
  const { ledger, timeline } = world;
  return { violation: ledger.violation, known: ledger.known, timeline };
}

class World {
  readonly timeline: string[] = [];
  readonly ledger: Ledger;
  readonly #plan: Plan;
  readonly #time = new VirtualTime();
  readonly #faults: CallFaults;
  readonly #network: Network;
  readonly #containers: readonly SimulatedContainer[];
  readonly #attempts = new Map<string, Attempt[]>();
  readonly #names: { readonly queue: string; readonly deadLetterQueue: string };
  readonly #folder: string | undefined;
  readonly #broker: Promise<Brokers & Partial<Pick<Broker, 'close'>>>;
  #processes = 0;
  #isOver = false;

  constructor(plan: Plan, isKnown: (invariant: Invariant) => boolean, onViolation: (() => void) | undefined) {
    this.#plan = plan;
    const log = (who: string, what: string) => this.#log(who, what);
    const time = this.#time;
    this.ledger = new Ledger({ settings: plan.settings, isKnown, onViolation, now: () => time.now, log });
    this.#faults = new CallFaults(plan.faults);
    const random = seeded(seedOf(`network ${plan.seed}`));
    this.#network = { time, ledger: this.ledger, random, isLocal: plan.broker !== 'sqs', isThrottled: false };
    const suffix = plan.fifo ? '.fifo' : '';
    this.#names = { queue: `work${suffix}`, deadLetterQueue: `failed${suffix}` };
    if (plan.broker === 'sqlite') this.#folder = mkdtempSync(join(FOLDER, 'simulation-'));
    this.#broker = this.#openBroker();
    const surroundings = {
      ...{ ...this.#names, settings: plan.settings, time, ledger: this.ledger, log },
      spawn: (name: string, computer: Computer) => this.#spawn(name, computer),
      nextAttempt: (body: string) => this.#nextAttempt(body),
    };
    for (const { number, attempts } of plan.messages) this.#attempts.set(bodyOf(number), [...attempts]);
    this.#containers = plan.containers.map((container) => new SimulatedContainer(container, surroundings));
  }

  async run(): Promise<void> {
    const life = this.#live();
    await this.#time.run(() => this.#isOver || this.ledger.violation !== undefined);
    if (this.#isOver) await life;
    else if (!this.ledger.violation) throw new Error('The world stands still.');
  }

  async close(): Promise<void> {
    let isClosed = false;
    // Calls in progress end in virtual time.
    void (await this.#broker).close?.().then(() => {
      isClosed = true;
    });
    if (this.#plan.broker !== 'sqs') await this.#time.run(() => isClosed);
    if (this.#folder) rmSync(this.#folder, { recursive: true });
  }

  async #live(): Promise<void> {
    const { faults, messages, redrives } = this.#plan;
    for (const fault of faults) if ('at' in fault) this.#time.at(fault.at, () => this.#apply(fault));
    this.#time.at(TROUBLE_MS, () => {
      this.#faults.isOver = true;
    });
    const jobs = [this.#produce(messages), ...redrives.map((at) => this.#redrive(at))];
    await Promise.all(jobs);
    await this.#time.sleep(Math.max(0, TROUBLE_MS - this.#time.now));
    const bound = this.#time.now + BOUND_MS + workOf(messages);
    const queue = await (await this.#broker).open(this.#names.queue);
    let left = await this.#left(queue);
    while ((left > 0 || this.ledger.open.length > 0) && this.#time.now < bound) {
      await this.#time.sleep(1_000);
      left = await this.#left(queue);
    }
    if (left > 0 || this.ledger.open.length > 0) this.ledger.stuck(left);
    this.#log('', 'the end: everything drains');
    for (const container of this.#containers) container.stop();
    const { drainTimeout } = this.#plan.settings;
    for (let second = 0; second < drainTimeout + 200 && this.#alive > 0; second += 1) {
      await this.#time.sleep(1_000);
      for (const container of this.#containers) if (second % 60 === 59) container.stop();
    }
    this.ledger.finish(await this.#left(queue), this.#alive);
    this.#isOver = true;
  }

  get #alive(): number {
    return this.#containers.reduce((sum, { processes }) => sum + processes.length, 0);
  }

  async #left(queue: Queue): Promise<number> {
    const { visible, inFlight, delayed } = await queue.counts();
    return visible + inFlight + delayed;
  }

  async #openBroker(): Promise<Brokers & Partial<Pick<Broker, 'close'>>> {
    const { broker, maxReceives, settings } = this.#plan;
    const visibilityTimeout = settings.visibilityTimeout ?? 30;
    const { queue, deadLetterQueue } = this.#names;
    if (broker === 'sqs') {
      const random = seeded(seedOf(`queues ${this.#plan.seed}`));
      const duplicated = (id: string, body: string) => this.ledger.duplicated(id, body);
      const dead = new SqsModel(deadLetterQueue, this.#time, random, { visibilityTimeout, duplicated });
      const moved = (body: string, id: string) => this.ledger.moved(body, id);
      const policy = maxReceives === undefined ? undefined : { queue: dead, maxReceives, moved };
      return new SqsModelBroker([
        dead,
        new SqsModel(queue, this.#time, random, { visibilityTimeout, duplicated, deadLetterQueue: policy }),
      ]);
    }
    const machine = new SimulatedProcess(
      'broker',
      this.#time,
      { clockOffset: 0 },
      seeded(seedOf(`broker ${this.#plan.seed}`)),
    );
    const made =
      broker === 'memory'
        ? new MemoryBroker({ machine })
        : await openSqlite(join(this.#folder!, 'queues.db'), { machine, watchFile: () => () => {} });
    await made.create(deadLetterQueue, { visibilityTimeout });
    await made.create(queue, { visibilityTimeout });
    return made;
  }

  #spawn(name: string, computer: Computer): SimulatedProcess & Host {
    this.#processes += 1;
    const random = seeded(seedOf(`${name} ${this.#processes} ${this.#plan.seed}`));
    const role = name.split(' ')[0] as Role;
    const faultAt = (call: Call) => {
      const fault = this.#faults.at(role, call);
      if (fault) this.#log(name, `fault: ${fault.does} (${call} ${fault.number}, ${fault.seconds} s)`);
      return fault;
    };
    const process = new SimulatedProcess(name, this.#time, computer, random, faultAt);
    const open = async (queue: string) =>
      new ReachedQueue(process, await (await this.#broker).open(queue), this.#network);
    return Object.assign(process, { broker: { open } });
  }

  #nextAttempt(body: string): Attempt {
    return this.#attempts.get(body)?.shift() ?? DONE;
  }

  /** Sends messages one at a time, so that their order is known. */
  async #produce(messages: readonly MessagePlan[]): Promise<void> {
    const computer = { clockOffset: 0 };
    let producer = this.#spawn('producer', computer);
    for (const message of messages) {
      await this.#time.sleep(message.at - this.#time.now);
      if (!producer.isAlive) producer = this.#spawn('producer', computer);
      await this.#send(producer, message);
    }
  }

  async #send(producer: SimulatedProcess & Host, { number, group }: MessagePlan): Promise<void> {
    const body = bodyOf(number);
    const { fifo } = this.#plan;
    const outgoing = { body, ...(fifo && { groupId: group, deduplicationId: body }) };
    const died = new Promise<undefined>((resolve) => producer.onDeath(() => resolve(undefined)));
    for (let attempt = 0; attempt < ATTEMPTS_TO_SEND; attempt += 1) {
      try {
        const queue = await producer.broker.open(this.#names.queue);
        const results = await Promise.race([queue.send([outgoing]), died]);
        if (results?.[0]?.ok) this.ledger.acknowledged(body);
        if (!results || results[0]?.ok) return;
      } catch {
        // Refused or unanswered.
      }
      await this.#time.sleep(1_000);
    }
  }

  async #redrive(at: number): Promise<void> {
    await this.#time.sleep(at);
    const process = this.#spawn('redrive', { clockOffset: 0 });
    this.#log(process.name, 'starts');
    const broker = await this.#broker;
    const source = await process.broker.open(this.#names.deadLetterQueue);
    const target = await process.broker.open(this.#names.queue);
    const moving = moveMessages(broker, source, target, { machine: process });
    const died = new Promise<undefined>((resolve) => process.onDeath(() => resolve(undefined)));
    try {
      const report = await Promise.race([moving, died]);
      this.#log(
        process.name,
        report ? `moved ${report.moved}, failed ${report.failed.length}` : 'was killed',
      );
    } catch (error) {
      this.#log(process.name, `failed: ${(error as Error).message}`);
    }
  }

  #apply(fault: TimedFault): void {
    const { victim } = fault;
    const processes = this.#containers.flatMap((container) => container.processes);
    const process = processes[victim % processes.length];
    const container = this.#containers[victim % this.#containers.length];
    if (!process || !container) return;
    this.#log(process.name, `fault: ${fault.does} (${fault.seconds} s)`);
    const end = apply(fault, { process, container, network: this.#network });
    if (end) this.#time.at(this.#time.now + fault.seconds * 1000, end);
  }

  #log(who: string, what: string): void {
    this.timeline.push(`${(this.#time.now / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(13)} ${what}`);
  }
}

/** How long the messages may take if they run one by one, with all their retries, in milliseconds. */
function workOf(messages: readonly MessagePlan[]): number {
  return messages.flatMap(({ attempts }) => attempts).length * 4 * 60_000;
}

function bodyOf(number: number): string {
  return `message ${number}`;
}
