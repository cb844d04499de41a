import { expect } from 'chai';
import sinon from 'sinon';
import {
  isPolling,
  openService,
  Service,
  statusLine,
  watchdogInterval,
} from '../../../src/host/systemd/service.ts';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';

const RUNNING = 'STATUS=Running: 0 handled, 0 in flight, 0 failed';

/** The snapshot of a container with one queue that holds this many messages. */
function counted(held: number) {
  return new Metrics().snapshot(1, [{ name: 'jobs', held, running: 0, failing: false, silentSeconds: 0 }]);
}

function logger() {
  return { error: sinon.stub(), warn: sinon.stub(), info: sinon.stub(), debug: sinon.stub() };
}

describe('the notifications of a service to systemd', () => {
  let clock: sinon.SinonFakeTimers;
  let sent: string[];
  let held: number;
  let polling: boolean;
  let log: ReturnType<typeof logger>;
  let doing: 'running' | 'paused';
  const state = { snapshot: () => counted(held), polling: () => polling, state: () => doing };

  beforeEach(() => {
    clock = sinon.useFakeTimers();
    sent = [];
    held = 0;
    polling = true;
    doing = 'running';
    log = logger();
  });
  afterEach(() => clock.restore());

  function service(watchdogMs?: number): Service {
    const send = (...assignments: string[]) => {
      sent.push(...assignments);
    };
    return new Service(log, { send, flush: async () => {} }, watchdogMs);
  }

  it('report ready once, and the status when it changes', () => {
    const told = service();
    told.ready(state);
    told.ready(state);
    expect(sent).to.deep.equal(['READY=1', RUNNING]);
    clock.tick(60_000);
    expect(sent).to.have.length(2);
    held = 3;
    clock.tick(5_000);
    expect(sent.slice(2)).to.deep.equal(['STATUS=Running: 0 handled, 3 in flight, 0 failed']);
  });

  it('report a pause', () => {
    const told = service();
    told.ready(state);
    doing = 'paused';
    clock.tick(5_000);
    expect(sent.at(-1)).to.equal('STATUS=Paused: 0 handled, 0 in flight, 0 failed');
    told.stopping();
    expect(sent.at(-1)).to.equal('STATUS=Draining: 0 handled, 0 in flight, 0 failed');
  });

  it('are sent only where systemd listens', () => {
    expect(service().isHeard).to.equal(true);
    expect(new Service(log).isHeard).to.equal(false);
  });

  it('report the start and the end of a reload', () => {
    const told = service();
    told.ready(state);
    sent.length = 0;
    told.reload(() => sent.push('action'));
    expect(sent).to.have.length(4);
    expect(sent[1]).to.match(/^MONOTONIC_USEC=\d+$/);
    expect([sent[0], ...sent.slice(2)]).to.deep.equal(['RELOADING=1', 'action', 'READY=1']);
  });

  it('do not report a reload before the service is ready or once it stops', () => {
    const told = service();
    told.reload(() => sent.push('early'));
    told.ready(state);
    told.stopping();
    told.reload(() => sent.push('late'));
    expect(sent).to.deep.equal([
      'early',
      'READY=1',
      RUNNING,
      'STOPPING=1',
      'STATUS=Draining: 0 handled, 0 in flight, 0 failed',
      'late',
    ]);
  });

  it('report stopping once', () => {
    const told = service();
    told.stopping();
    told.stopping();
    expect(sent).to.deep.equal(['STOPPING=1']);
  });

  it('ping the watchdog only while polling works, and log once when it does not', () => {
    service(1_000).ready(state);
    const pings = () => sent.filter((text) => text === 'WATCHDOG=1').length;
    clock.tick(3_000);
    expect(pings()).to.equal(3);
    polling = false;
    clock.tick(3_000);
    expect(pings()).to.equal(3);
    expect(log.error.args).to.deep.equal([['Polling is stuck: no more pings to the systemd watchdog']]);
    polling = true;
    clock.tick(1_000);
    expect(pings()).to.equal(4);
  });

  it('end with a last status, and leave no timer behind', async () => {
    const told = service(1_000);
    held = 1;
    told.ready(state);
    held = 0;
    await told.close();
    expect(sent.at(-1)).to.equal(RUNNING);
    expect(clock.countTimers()).to.equal(0);
  });

  it("hide systemd's variables from programs started later", async () => {
    const environment = { NOTIFY_SOCKET: '', WATCHDOG_USEC: '1000', WATCHDOG_PID: '1', OTHER: 'stays' };
    const told = await openService(environment, log);
    expect(environment).to.deep.equal({ OTHER: 'stays' });
    told.ready(state);
    expect(clock.countTimers()).to.equal(0);
  });
});

describe('the systemd watchdog', () => {
  it('gets two pings per timeout, from the process that it names', () => {
    expect(watchdogInterval({ WATCHDOG_USEC: '120000000' }, 7)).to.equal(60_000);
    expect(watchdogInterval({ WATCHDOG_USEC: '120000000', WATCHDOG_PID: '7' }, 7)).to.equal(60_000);
    expect(watchdogInterval({ WATCHDOG_USEC: '120000000', WATCHDOG_PID: '8' }, 7)).to.equal(undefined);
    expect(watchdogInterval({}, 7)).to.equal(undefined);
    expect(watchdogInterval({ WATCHDOG_USEC: '0' }, 7)).to.equal(undefined);
  });

  it('gets pings while the receives of all queues return, and during a drain', () => {
    const silent = (...seconds: number[]) => seconds.map((silentSeconds) => ({ silentSeconds }));
    expect(isPolling('running', silent(0, 80), 20)).to.equal(true);
    expect(isPolling('running', silent(0, 81), 20)).to.equal(false);
    expect(isPolling('paused', silent(0), 20)).to.equal(true);
    expect(isPolling('draining', silent(81), 20)).to.equal(true);
  });
});

describe('the status line', () => {
  it('adds up the outcomes of all queues', () => {
    const one = counted(2).queues.jobs;
    if (!one) throw new Error('There is no such queue.');
    const queues = {
      a: { ...one, outcomes: { handled: 5, dropped: 1, retried: 2, buried: 3 } },
      b: { ...one, held: 1, outcomes: { handled: 7, dropped: 0, retried: 0, buried: 0 } },
    };
    const snapshot = { ...counted(0), queues };
    expect(statusLine(snapshot, 'running')).to.equal('Running: 12 handled, 3 in flight, 6 failed');
    expect(statusLine(snapshot, 'draining')).to.equal('Draining: 12 handled, 3 in flight, 6 failed');
  });

  it('names the queues whose receives fail', () => {
    const one = counted(0).queues.jobs;
    if (!one) throw new Error('There is no such queue.');
    const snapshot = {
      ...counted(0),
      queues: { a: { ...one, failing: 1 }, b: one, c: { ...one, failing: 2 } },
    };
    expect(statusLine(snapshot, 'running')).to.equal(
      'Running: 0 handled, 0 in flight, 0 failed; receives from "a", "c" fail',
    );
  });
});
