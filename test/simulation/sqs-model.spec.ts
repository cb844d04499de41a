// What AWS documents about SQS, and what it leaves open.
import { expect } from 'chai';
import { seeded } from '../../harness/random.ts';
import { SqsModel } from '../../simulation/sqs-model.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';
import type { Message, OutgoingMessage } from '../../src/brokers/broker.ts';

const VISIBILITY_TIMEOUT = 30;
const OK = { ok: true };

describe('the model of SQS', () => {
  let time: VirtualTime;
  let duplicated: string[];
  let queue: SqsModel;
  beforeEach(() => {
    time = new VirtualTime();
    duplicated = [];
    queue = open('work');
  });

  /** By default, answers are as long as they can be. */
  function open(name: string, random = () => 0, policy?: { queue: SqsModel; maxReceives: number }): SqsModel {
    return new SqsModel(name, time, random, {
      visibilityTimeout: VISIBILITY_TIMEOUT,
      duplicated: (_, body) => duplicated.push(body),
      deadLetterQueue: policy && { ...policy, moved: () => {} },
    });
  }

  async function pass(seconds: number): Promise<void> {
    let isOver = false;
    void time.sleep(seconds * 1000).then(() => {
      isOver = true;
    });
    await time.run(() => isOver);
  }

  function send(to: SqsModel, ...bodies: string[]) {
    return to.send(bodies.map((body) => ({ body })));
  }

  /** Sends messages of the form `group 1`. */
  function sendInGroups(to: SqsModel, ...bodies: string[]) {
    return to.send(bodies.map((body) => ordered(body)));
  }

  function ordered(body: string): OutgoingMessage {
    return { body, groupId: body.slice(0, body.indexOf(' ')), deduplicationId: body };
  }

  function receive(from: SqsModel, max = 10, waitSeconds = 0): Promise<Message[]> {
    return from.receive({ max, waitSeconds });
  }

  async function receiveOne(from = queue): Promise<Message> {
    const [message] = await receive(from, 1);
    return message!;
  }

  async function bodies(messages: Message[] | Promise<Message[]>): Promise<string[]> {
    return (await messages).map(({ body }) => body);
  }

  describe('visibility', () => {
    it('ends with a receive, and returns after the visibility timeout, with a higher receive count', async () => {
      await send(queue, 'one');
      const first = await receiveOne();
      expect(first).to.include({ body: 'one', receiveCount: 1 });
      await pass(VISIBILITY_TIMEOUT - 0.001);
      expect(await receive(queue)).to.deep.equal([]);
      await pass(0.001);
      const second = await receiveOne();
      expect(second).to.include({ id: first.id, receiveCount: 2 });
      expect(second.receiptHandle).not.to.equal(first.receiptHandle);
    });

    it('has the timeout of the receive, if that names one', async () => {
      await send(queue, 'one');
      await queue.receive({ max: 1, waitSeconds: 0, visibilityTimeout: 2 });
      await pass(2);
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
    });

    it('begins after the delay of a message', async () => {
      await queue.send([{ body: 'later', delaySeconds: 5 }]);
      expect(await queue.counts()).to.deep.equal({ visible: 0, inFlight: 0, delayed: 1 });
      await pass(4.999);
      expect(await receive(queue)).to.deep.equal([]);
      await pass(0.001);
      expect(await bodies(receive(queue))).to.deep.equal(['later']);
    });

    it('is changed from now on; 0 makes a message visible at once', async () => {
      await send(queue, 'one');
      const { receiptHandle } = await receiveOne();
      await pass(20);
      expect(await queue.changeVisibility([{ receiptHandle, seconds: 60 }])).to.deep.equal([OK]);
      await pass(59);
      expect(await receive(queue)).to.deep.equal([]);
      await queue.changeVisibility([{ receiptHandle, seconds: 0 }]);
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
    });

    it('is not changed for a message that is visible or deleted, or with an old receipt handle', async () => {
      await send(queue, 'one');
      const old = await receiveOne();
      await pass(VISIBILITY_TIMEOUT);
      const change = async ({ receiptHandle }: Message) =>
        (await queue.changeVisibility([{ receiptHandle, seconds: 99 }]))[0];
      expect(await change(old)).to.deep.include({ ok: false, retryable: false });
      const latest = await receiveOne();
      expect(await change(old)).to.deep.include({ ok: false, retryable: false });
      expect(await change(latest)).to.deep.equal(OK);
      await queue.delete([latest.receiptHandle]);
      expect(await change(latest)).to.deep.include({ ok: false, retryable: false });
    });
  });

  describe('a delete', () => {
    it('with the latest receipt handle removes the message, and again is fine', async () => {
      await send(queue, 'one');
      const { receiptHandle } = await receiveOne();
      expect(await queue.delete([receiptHandle])).to.deep.equal([OK]);
      expect(await queue.delete([receiptHandle])).to.deep.equal([OK]);
      await pass(VISIBILITY_TIMEOUT);
      expect(await receive(queue)).to.deep.equal([]);
    });

    it('on a standard queue also works after the visibility timeout', async () => {
      await send(queue, 'one');
      const { receiptHandle } = await receiveOne();
      await pass(VISIBILITY_TIMEOUT);
      expect(await queue.delete([receiptHandle])).to.deep.equal([OK]);
      expect(await receive(queue)).to.deep.equal([]);
    });

    it('with an old receipt handle says that it worked, and deletes nothing', async () => {
      await send(queue, 'one');
      const { receiptHandle } = await receiveOne();
      await pass(VISIBILITY_TIMEOUT);
      await receiveOne();
      expect(await queue.delete([receiptHandle])).to.deep.equal([OK]);
      await pass(VISIBILITY_TIMEOUT);
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
    });

    it('on a FIFO queue is refused after the visibility timeout', async () => {
      const fifo = open('work.fifo');
      await sendInGroups(fifo, 'a 1');
      const { receiptHandle } = await receiveOne(fifo);
      await pass(VISIBILITY_TIMEOUT);
      const [result] = await fifo.delete([receiptHandle]);
      expect(result).to.deep.include({ ok: false, retryable: false });
      expect(await bodies(receive(fifo))).to.deep.equal(['a 1']);
    });
  });

  describe('a standard queue', () => {
    it('returns any number of messages up to the maximum, in any order, and none twice', async () => {
      const names = Array.from({ length: 8 }, (_, index) => `message ${index}`);
      const sizes = new Set<number>();
      const orders = new Set<string>();
      for (let seed = 1; seed <= 100; seed += 1) {
        const any = open('work', seeded(seed));
        await send(any, ...names);
        const received: string[] = [];
        while (received.length < names.length) {
          const some = await bodies(receive(any, 5));
          expect(some.length).to.be.within(1, 5);
          sizes.add(some.length);
          received.push(...some);
        }
        expect(received.toSorted()).to.deep.equal(names);
        orders.add(received.join());
      }
      expect([...sizes].toSorted()).to.deep.equal([1, 2, 3, 4, 5]);
      expect(orders.size).to.be.above(90);
    });

    it('does not drop a second message with the same deduplication id', async () => {
      await queue.send([{ body: 'one', deduplicationId: 'x' }]);
      await queue.send([{ body: 'two', deduplicationId: 'x' }]);
      expect(await bodies(receive(queue))).to.have.members(['one', 'two']);
    });
  });

  describe('a FIFO queue', () => {
    let fifo: SqsModel;
    beforeEach(() => {
      fifo = open('work.fifo');
    });

    it('returns the messages of a group in order, also in one answer', async () => {
      await sendInGroups(fifo, 'a 1', 'b 1', 'a 2', 'a 3');
      expect(await bodies(receive(fifo, 3))).to.deep.equal(['a 1', 'b 1', 'a 2']);
    });

    it('holds a group back while a message of it is in flight, and no other', async () => {
      await sendInGroups(fifo, 'a 1', 'a 2', 'b 1');
      const first = await receiveOne(fifo);
      expect(await bodies(receive(fifo))).to.deep.equal(['b 1']);
      await fifo.delete([first.receiptHandle]);
      expect(await bodies(receive(fifo))).to.deep.equal(['a 2']);
    });

    it('returns a message again before those behind it', async () => {
      await sendInGroups(fifo, 'a 1', 'a 2', 'a 3');
      const [first, second] = await receive(fifo, 2);
      await fifo.changeVisibility([{ receiptHandle: second!.receiptHandle, seconds: 0 }]);
      expect(await receive(fifo), 'while the first is in flight').to.deep.equal([]);
      await fifo.changeVisibility([{ receiptHandle: first!.receiptHandle, seconds: 0 }]);
      expect(await bodies(receive(fifo))).to.deep.equal(['a 1', 'a 2', 'a 3']);
    });

    it('drops a message whose deduplication id it has seen in the last five minutes', async () => {
      const [first] = await sendInGroups(fifo, 'a 1');
      const { receiptHandle } = await receiveOne(fifo);
      await fifo.delete([receiptHandle]);
      await pass(299.999);
      const [again] = await sendInGroups(fifo, 'a 1');
      expect(again).to.deep.equal(first);
      expect(await receive(fifo)).to.deep.equal([]);
      await pass(0.001);
      const [anew] = await sendInGroups(fifo, 'a 1');
      expect(anew).not.to.deep.equal(first);
      expect(await bodies(receive(fifo))).to.deep.equal(['a 1']);
    });
  });

  describe('a redrive policy', () => {
    it('moves a message at the receive after the last one that it allows', async () => {
      const dead = open('failed');
      const source = open('work', () => 0, { queue: dead, maxReceives: 2 });
      await send(source, 'bad');
      await receiveOne(source);
      await pass(VISIBILITY_TIMEOUT);
      expect(await receiveOne(source)).to.include({ receiveCount: 2 });
      await pass(VISIBILITY_TIMEOUT);
      expect(await dead.counts()).to.include({ visible: 0 });
      await send(source, 'good');
      expect(await bodies(receive(source))).to.deep.equal(['good']);
      expect(await receiveOne(dead)).to.include({ body: 'bad', receiveCount: 1, sentAt: 0 });
      await pass(VISIBILITY_TIMEOUT);
      expect(await bodies(receive(source))).to.deep.equal(['good']);
    });

    it('frees the group of the message', async () => {
      const dead = open('failed.fifo');
      const source = open('work.fifo', () => 0, { queue: dead, maxReceives: 1 });
      await sendInGroups(source, 'a 1', 'a 2');
      await receiveOne(source);
      await pass(VISIBILITY_TIMEOUT);
      expect(await bodies(receive(source))).to.deep.equal(['a 2']);
      expect(await bodies(receive(dead))).to.deep.equal(['a 1']);
    });
  });

  describe('a long poll', () => {
    /** Receives, and notes when the answer came. */
    function poll(seconds: number, signal?: AbortSignal) {
      const poll = { answer: undefined as string | undefined };
      void queue
        .receive({ max: 10, waitSeconds: seconds, ...(signal && { signal }) })
        .then(async (answer) => {
          poll.answer = `${(await bodies(answer)).join()} after ${time.now / 1000} s`;
        });
      return poll;
    }

    it('waits until a message is sent', async () => {
      const waiting = poll(20);
      time.at(5_000, () => void send(queue, 'one'));
      await pass(20);
      expect(waiting.answer).to.equal('one after 5 s');
    });

    it('waits until a message becomes visible', async () => {
      await send(queue, 'one');
      const { receiptHandle } = await receiveOne();
      const waiting = poll(20);
      await queue.changeVisibility([{ receiptHandle, seconds: 7 }]);
      await pass(20);
      expect(waiting.answer).to.equal('one after 7 s');
    });

    it('ends with no messages after its time, and takes none afterwards', async () => {
      const waiting = poll(20);
      await pass(20);
      expect(waiting.answer).to.equal(' after 20 s');
      await send(queue, 'one');
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
    });

    it('whose client has hung up takes no messages', async () => {
      const hangUp = new AbortController();
      const waiting = poll(20, hangUp.signal);
      await pass(1);
      hangUp.abort();
      await send(queue, 'one');
      await pass(20);
      expect(waiting.answer).not.to.equal('one after 1 s');
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
    });

    it('gives a message to one of several receives', async () => {
      const waiting = [poll(20), poll(20)];
      await pass(1);
      await send(queue, 'one');
      await pass(19);
      expect(waiting.map(({ answer }) => answer).toSorted()).to.deep.equal([' after 20 s', 'one after 1 s']);
    });
  });

  describe('a duplicate', () => {
    it('does not come unless asked for', async () => {
      const any = open('work', seeded(1));
      for (let message = 0; message < 300; message += 1) await send(any, `message ${message}`);
      const received: string[] = [];
      for (let poll = 0; poll < 300; poll += 1) {
        const messages = await receive(any);
        received.push(...(await bodies(messages)));
        await any.delete(messages.map(({ receiptHandle }) => receiptHandle));
      }
      expect(received).to.have.length(300);
      expect(new Set(received).size).to.equal(300);
      expect(duplicated).to.deep.equal([]);
    });

    it('comes in the same answer, with a receipt handle of its own; the latest is the valid one', async () => {
      await send(queue, 'one', 'two');
      queue.answerTwice(0);
      const messages = await receive(queue);
      expect(messages).to.have.length(3);
      expect(new Set(messages.map(({ receiptHandle }) => receiptHandle)).size).to.equal(3);
      const twice = messages.filter(({ id }) => id === messages[2]!.id);
      expect(twice).to.have.length(2);
      expect(duplicated).to.deep.equal([twice[0]!.body]);
      await queue.delete(twice.map(({ receiptHandle }) => receiptHandle));
      await pass(VISIBILITY_TIMEOUT);
      expect(await receive(queue)).to.have.length(1);
    });

    it('comes though it is in flight or was deleted', async () => {
      await send(queue, 'one');
      const { receiptHandle } = await receiveOne();
      queue.deliverAgain(0);
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
      await queue.delete([receiptHandle]);
      queue.deliverAgain(0);
      expect(await bodies(receive(queue))).to.deep.equal(['one']);
      expect(duplicated).to.deep.equal(['one', 'one']);
    });

    it('does not come on a FIFO queue', async () => {
      const fifo = open('work.fifo');
      await sendInGroups(fifo, 'a 1', 'a 2');
      fifo.answerTwice(0);
      fifo.deliverAgain(0);
      expect(await bodies(receive(fifo))).to.deep.equal(['a 1', 'a 2']);
      expect(await receive(fifo)).to.deep.equal([]);
      expect(duplicated).to.deep.equal([]);
    });
  });
});
