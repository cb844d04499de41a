// Compares the memory broker with a model of a queue that is too simple to be wrong: both must always give the same answers.
import { expect } from 'chai';
import fc from 'fast-check';
import sinon from 'sinon';
import type { Message, Queue } from '../../src/brokers/broker.ts';
import { MemoryBroker } from '../../src/brokers/memory/broker.ts';

/** A message in the model. */
interface Known {
  readonly body: string;
  readonly group: string;
  /** When it becomes visible, in milliseconds. */
  visibleAt: number;
  receiveCount: number;
  /** The receipt handle of its last receive. */
  handle: string | undefined;
}

type Step =
  | { readonly does: 'send'; readonly group: string; readonly delaySeconds: number }
  | { readonly does: 'receive'; readonly max: number; readonly visibilityTimeout: number }
  /** `handle`: an index into all receives so far. */
  | { readonly does: 'delete'; readonly handle: number }
  | { readonly does: 'change'; readonly handle: number; readonly seconds: number }
  | { readonly does: 'wait'; readonly milliseconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('send' as const),
      group: fc.constantFrom('a', 'b', 'c'),
      delaySeconds: fc.constantFrom(0, 0, 0, 1, 5),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('receive' as const),
      max: fc.integer({ min: 1, max: 10 }),
      visibilityTimeout: fc.constantFrom(0, 1, 3, 30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('delete' as const), handle: fc.nat() }) },
  fc.record({ does: fc.constant('change' as const), handle: fc.nat(), seconds: fc.constantFrom(0, 1, 4) }),
  fc.record({
    does: fc.constant('wait' as const),
    milliseconds: fc.constantFrom(1, 999, 1000, 2500, 40_000),
  }),
);

class Model {
  readonly #fifo: boolean;
  #messages: Known[] = [];
  /** All receives so far, in order. */
  readonly received: { readonly handle: string; readonly body: string }[] = [];

  constructor(fifo: boolean) {
    this.#fifo = fifo;
  }

  get counts() {
    const now = Date.now();
    const invisible = this.#messages.filter(({ visibleAt }) => visibleAt > now);
    const inFlight = invisible.filter(({ receiveCount }) => receiveCount > 0).length;
    const visible = this.#messages.length - invisible.length;
    return { visible, inFlight, delayed: invisible.length - inFlight };
  }

  send(body: string, group: string, delaySeconds: number): void {
    const visibleAt = Date.now() + delaySeconds * 1000;
    this.#messages.push({ body, group, visibleAt, receiveCount: 0, handle: undefined });
  }

  /** Messages that can be received now, in order; on a FIFO queue, none from a group with a message in flight. */
  get receivable(): Known[] {
    const visible = this.#messages.filter((message) => !this.#isInvisible(message));
    if (!this.#fifo) return visible;
    const busy = new Set(this.#messages.filter((one) => this.#isInvisible(one)).map(({ group }) => group));
    return visible.filter(({ group }) => !busy.has(group));
  }

  take({ body, receiptHandle }: Message, visibilityTimeout: number): void {
    const message = this.#messages.find((one) => one.body === body)!;
    message.receiveCount += 1;
    message.handle = receiptHandle;
    message.visibleAt = Date.now() + visibilityTimeout * 1000;
    this.received.push({ handle: receiptHandle, body });
  }

  /** Deletes or changes the message of a handle if allowed. Returns whether it was. */
  delete({ handle, body }: Model['received'][number]): boolean {
    const message = this.#messages.find((one) => one.body === body);
    if (!message) return true;
    const may = message.handle === handle && !(this.#fifo && !this.#isInvisible(message));
    if (may) this.#messages = this.#messages.filter((one) => one !== message);
    return may;
  }

  change({ handle, body }: Model['received'][number], seconds: number): boolean {
    const message = this.#messages.find((one) => one.body === body);
    if (!message || message.handle !== handle || !this.#isInvisible(message)) return false;
    message.visibleAt = Date.now() + seconds * 1000;
    return true;
  }

  #isInvisible({ visibleAt }: Known): boolean {
    return visibleAt > Date.now();
  }
}

describe('the memory broker compared with a model', () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  async function receive(queue: Queue, model: Model, max: number, visibilityTimeout: number): Promise<void> {
    const { receivable } = model;
    const messages = await queue.receive({ max, waitSeconds: 0, visibilityTimeout });
    expect(messages.length).to.equal(Math.min(max, receivable.length));
    const bodies = messages.map(({ body }) => body);
    if (queue.fifo) {
      for (const group of 'abc') {
        const ofGroup = receivable.filter((message) => message.group === group).map(({ body }) => body);
        const taken = bodies.filter((body) => ofGroup.includes(body));
        expect(taken, `the first of group ${group}, in order`).to.deep.equal(ofGroup.slice(0, taken.length));
      }
    }
    for (const message of messages) {
      const known = receivable.find(({ body }) => body === message.body);
      expect(message.receiveCount, message.body).to.equal((known?.receiveCount ?? Number.NaN) + 1);
      model.take(message, visibilityTimeout);
    }
    expect(new Set(bodies).size).to.equal(bodies.length);
  }

  async function play(name: string, steps: readonly Step[]): Promise<void> {
    const queue = await new MemoryBroker().open(name);
    const model = new Model(queue.fifo);
    for (const [index, step] of steps.entries()) {
      const chosen = 'handle' in step && model.received.at(step.handle % model.received.length);
      if (step.does === 'send') {
        const body = String(index);
        const delaySeconds = queue.fifo ? 0 : step.delaySeconds;
        await queue.send([
          queue.fifo ? { body, groupId: step.group, deduplicationId: body } : { body, delaySeconds },
        ]);
        model.send(body, step.group, delaySeconds);
      } else if (step.does === 'receive') await receive(queue, model, step.max, step.visibilityTimeout);
      else if (step.does === 'wait') clock.tick(step.milliseconds);
      else if (chosen && step.does === 'delete') {
        const [result] = await queue.delete([chosen.handle]);
        expect(result?.ok, `delete ${chosen.body}`).to.equal(model.delete(chosen));
      } else if (chosen && step.does === 'change') {
        const { handle: receiptHandle } = chosen;
        const [result] = await queue.changeVisibility([{ receiptHandle, seconds: step.seconds }]);
        expect(result?.ok, `change ${chosen.body}`).to.equal(model.change(chosen, step.seconds));
      }
      expect(await queue.counts(), JSON.stringify(step)).to.deep.equal(model.counts);
    }
  }

  for (const name of ['work', 'work.fifo']) {
    it(`gives the same answers for ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => play(name, steps)),
        { numRuns: 300 },
      );
    }).timeout(30_000);
  }
});
