import { expect } from 'chai';
import sinon from 'sinon';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import type { ContainerState } from '../../../src/observe/status/health.ts';
import { healthProblems, readinessProblems } from '../../../src/observe/status/health.ts';
import { History, STEP_MS } from '../../../src/observe/status/history.ts';
import { type StatusInput, statusOf, statusText } from '../../../src/observe/status/status.ts';

const queue = { name: 'work' };
const delivery = { queue, message: { id: 'm1', receiveCount: 2, body: '[[1],{}]' } };
const load = { name: 'work', held: 3, running: 2, failing: false, silentSeconds: 0 };
const START = Date.UTC(2026, 10, 21, 10);

const processOf = (state: ContainerState, reportedAt = START) => ({
  number: 1,
  pid: 77,
  state,
  startedAt: START,
  memoryBytes: 84 * 2 ** 20,
  held: 3,
  running: 2,
  reportedAt,
});

/** A container that has handled one message per second for this many seconds. */
function watched(seconds: number) {
  const metrics = new Metrics();
  const snapshot = () => ({ ...metrics.snapshot(4, [load]), startedAt: START });
  const before = { at: START, snapshot: snapshot() };
  for (let second = 0; second < seconds; second += 1) {
    metrics.received(queue, [{ sentAt: Date.now() - 1_500 }]);
    metrics.requested('work', 'ReceiveMessage', 0);
    metrics.handled(delivery, 40);
  }
  return { metrics, snapshot, before };
}

function input(more: Partial<StatusInput> = {}): StatusInput {
  const { snapshot, before } = watched(60);
  return {
    at: START + 60_000,
    facts: {
      program: 'sqs-concurrent',
      file: 'worker.ini',
      version: '1.0.0',
      roles: { work: 'worked', failed: 'dead_letter' },
      isOnSqs: true,
    },
    broker: 'SQS in region eu-west-1',
    state: 'running',
    total: snapshot(),
    before,
    depths: { work: { visible: 12, inFlight: 3, delayed: 1 } },
    countsProblem: undefined,
    processes: [processOf('running')],
    problems: [],
    ...more,
  };
}

describe('the status of a container', () => {
  beforeEach(() => sinon.useFakeTimers({ now: START, toFake: ['Date'] }));
  afterEach(() => sinon.restore());

  it('has rates per second, over the last minute', () => {
    const { queues } = statusOf(input());
    expect(queues[0]?.rates).to.deep.equal({ received: 1, handled: 1, failed: 0 });
    expect(queues[0]?.handling?.median).to.be.within(0.03, 0.05);
  });

  it('has rates that include only the last minute', () => {
    const { metrics, snapshot, before } = watched(60);
    const later = { at: START + 60_000, snapshot: snapshot() };
    for (let message = 0; message < 30; message += 1) metrics.handled(delivery, 2_000);
    const status = statusOf(input({ at: START + 120_000, total: snapshot(), before: later }));
    expect(status.queues[0]?.rates.handled).to.equal(0.5);
    expect(status.queues[0]?.handling?.median).to.be.within(1.5, 2);
    expect(status.queues[0]?.outcomes.handled).to.equal(90);
    expect(before.snapshot.queues.work?.outcomes.handled).to.equal(0);
  });

  it('has every queue with its role, including those without counts', () => {
    const { metrics, snapshot } = watched(1);
    metrics.requested('mails', 'SendMessageBatch', 0);
    const { queues } = statusOf(input({ total: snapshot() }));
    expect(queues.map(({ name, role, messages }) => [name, role, messages?.visible])).to.deep.equal([
      ['work', 'worked', 12],
      ['failed', 'dead_letter', undefined],
      ['mails', 'other', undefined],
    ]);
    expect(queues[1]?.handling).to.equal(null);
  });

  it('has the cost of the requests', () => {
    const { cost } = statusOf(input());
    expect(cost).to.include({
      isOnSqs: true,
      requestsPerSecond: 1,
      requestsPerMessage: 1,
      perMillionMessages: 0.4,
    });
    expect(cost.perMonth).to.be.closeTo((730 * 3600 - 1_000_000) * 0.4e-6, 1e-9);
  });

  it('survives JSON unchanged', () => {
    const status = statusOf(input());
    expect(JSON.parse(JSON.stringify(status))).to.deep.equal(status);
  });

  it('is formatted as plain text, one item per line', () => {
    const { metrics, snapshot } = watched(60);
    metrics.failed(delivery, new Error('no\nsuch user'), { action: 'bury' }, 5);
    const text = statusText(
      statusOf(input({ total: snapshot(), problems: ['it hangs'], countsProblem: 'denied' })),
    );
    const [at] = snapshot().failures.map((failure) => new Date(failure.at).toISOString());
    expect(text.split('\n')).to.deep.equal([
      'sqs-concurrent worker.ini: running since 2026-11-21T10:00:00.000Z, 2 of 4 slots busy, 3 held',
      'queue work: 12 visible, 3 in flight, 1 delayed; 1/s handled, 0.017/s failed; takes 40 ms, 99% within 50 ms; aged 1.3 s, 99% within 1.5 s',
      'dead-letter queue failed: messages unknown',
      'process 1: pid 77, running, 84 MB, 3 held',
      'problem: it hangs',
      'problem: the message counts of the queues are unknown: denied',
      `failure: ${at} work m1 buried: Error: no such user`,
      '',
    ]);
  });
});

describe('the history of a container', () => {
  it('has a point for each step, and one hour of them', () => {
    const { snapshot, before } = watched(10);
    const history = new History(before);
    for (let step = 1; step <= 800; step += 1) {
      history.add({ at: START + step * STEP_MS, snapshot: snapshot() }, {});
    }
    const { at, queues } = history.since(0);
    expect(at).to.have.length(720);
    expect(at.at(-1)).to.equal(START + 800 * STEP_MS);
    for (const column of Object.values(queues.work!)) expect(column).to.have.length(720);
    expect(history.since(START + 799 * STEP_MS).at).to.deep.equal([START + 800 * STEP_MS]);
  });

  it('has the events of each step, and no message counts that were not requested', () => {
    const { metrics, snapshot, before } = watched(10);
    const history = new History(before);
    history.add(
      { at: START + STEP_MS, snapshot: snapshot() },
      { work: { visible: 4, inFlight: 2, delayed: 0 } },
    );
    metrics.failed(delivery, new Error('no'), { action: 'delete' }, 200);
    history.add({ at: START + 2 * STEP_MS, snapshot: snapshot() }, {});
    expect(history.since(0).queues.work).to.deep.include({
      visible: [4, null],
      inFlight: [2, null],
      handled: [2, 0],
      failed: [0, 0.2],
      running: [2, 2],
    });
    expect(history.since(0).queues.work?.p99[0]).to.be.within(0.03, 0.05);
    expect(history.since(0).queues.work?.median[1]).to.be.within(0.15, 0.2);
  });

  it('has the snapshot from a minute ago, or from the start', () => {
    const { snapshot, before } = watched(1);
    const history = new History(before);
    for (let step = 1; step <= 6; step += 1)
      history.add({ at: START + step * STEP_MS, snapshot: snapshot() }, {});
    expect(history.minuteBefore.at).to.equal(START);
    for (let step = 7; step <= 100; step += 1)
      history.add({ at: START + step * STEP_MS, snapshot: snapshot() }, {});
    expect(history.minuteBefore.at).to.equal(START + 100 * STEP_MS - 60_000);
  });
});

describe('the health of a container', () => {
  const health = (silentSeconds: number, reportedAt: number) =>
    healthProblems({
      at: START + 200_000,
      state: 'running',
      total: new Metrics().snapshot(1, [{ ...load, silentSeconds, failing: true }]),
      processes: [processOf('running', reportedAt)],
      waitSeconds: 30,
    });

  it('is good while receives return, even with errors', () => {
    expect(health(90, START + 199_000)).to.deep.equal([]);
  });

  it('is bad when a receive does not return', () => {
    expect(health(91, START + 199_000)).to.deep.equal(['no receive from queue "work" has returned for 91 s']);
  });

  it('is bad when a process does not report', () => {
    expect(health(0, START + 100_000)).to.deep.equal([
      'process 1 (pid 77) has not reported for 100 s: its worker may be blocking it',
    ]);
  });
});

describe('a container', () => {
  it('is ready once one process is connected, paused or not', () => {
    const ready = (state: ContainerState, ...states: ContainerState[]) =>
      readinessProblems({ state, processes: states.map((each) => processOf(each)) });
    expect(ready('running', 'running', 'starting')).to.deep.equal([]);
    expect(ready('paused', 'paused')).to.deep.equal([]);
    expect(ready('starting', 'starting')).to.deep.equal(['starting: not connected yet']);
    expect(ready('starting')).to.deep.equal(['starting: not connected yet']);
    expect(ready('draining', 'running')).to.deep.equal(['draining: receives no more messages']);
  });
});
