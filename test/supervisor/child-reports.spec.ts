import { expect } from 'chai';
import sinon from 'sinon';
import { Metrics } from '../../src/observe/metrics/metrics.ts';
import type { Snapshot } from '../../src/observe/metrics/snapshot.ts';
import { ChildReports } from '../../src/supervisor/child-reports.ts';

/** The snapshot of a process that has received and holds these numbers of messages. */
function counted(received: number, held: number): Snapshot {
  const load = { name: 'jobs', held, running: held, failing: false, silentSeconds: 0 };
  const snapshot = new Metrics().snapshot(1, [load]);
  const { jobs } = snapshot.queues;
  return { ...snapshot, queues: jobs ? { jobs: { ...jobs, received } } : {} };
}

describe("the reports of a container's processes", () => {
  let clock: sinon.SinonFakeTimers;
  beforeEach(() => {
    clock = sinon.useFakeTimers();
  });
  afterEach(() => clock.restore());

  const jobs = (reports: ChildReports) => reports.snapshot().queues.jobs;

  const report = (snapshot: Snapshot, polling = true) =>
    ({ type: 'snapshot', snapshot, polling, state: 'running', memoryBytes: 50_000_000 }) as const;

  function reportsWithChildren(count: number) {
    const reports = new ChildReports(() => new Metrics().snapshot(0, []));
    const children = Array.from({ length: count }, (_, index) => {
      const child = reports.child(index + 1);
      child.started(100 + index);
      return child;
    });
    return { reports, children };
  }

  it('are added up, including those of exited processes, except for the messages they held', () => {
    const { reports, children } = reportsWithChildren(2);
    expect(reports.snapshot().queues).to.deep.equal({});
    const [one, other] = children;
    one?.reported(report(counted(1, 1)));
    one?.reported(report(counted(5, 2)));
    other?.reported(report(counted(7, 1)));
    expect(jobs(reports)).to.include({ received: 12, held: 3, running: 3 });
    expect(reports.snapshot().slots).to.equal(2);
    one?.ended();
    expect(jobs(reports)).to.include({ received: 12, held: 1, running: 1 });
    other?.ended();
    expect(jobs(reports)).to.include({ received: 12, held: 0, running: 0 });
    expect(reports.snapshot().slots).to.equal(0);
  });

  it("include the parent's own counts", () => {
    const reports = new ChildReports(() => counted(3, 0));
    const child = reports.child(1);
    child.started(100);
    child.reported(report(counted(4, 0)));
    expect(jobs(reports)).to.include({ received: 7 });
  });

  it('show whether all running processes that are ready poll', () => {
    const { reports, children } = reportsWithChildren(3);
    expect(reports.polling()).to.equal(true);
    const [steady, silent, starting] = children;
    for (const child of [steady, silent]) child?.reported({ type: 'ready' });
    starting?.reported({ type: 'done' });
    clock.tick(29_000);
    steady?.reported(report(counted(0, 0)));
    expect(reports.polling()).to.equal(true);
    clock.tick(1_000);
    expect(reports.polling()).to.equal(false);
    silent?.reported(report(counted(0, 0), false));
    expect(reports.polling()).to.equal(false);
    silent?.ended();
    expect(reports.polling()).to.equal(true);
  });

  it('list each process, its state and the messages it holds, by number', () => {
    const { reports, children } = reportsWithChildren(2);
    clock.tick(5_000);
    const again = reports.child(1);
    children[0]?.ended();
    again.started(105);
    children[1]?.reported(report(counted(9, 4)));
    expect(reports.processes).to.deep.equal([
      {
        number: 1,
        pid: 105,
        state: 'starting',
        startedAt: 5_000,
        reportedAt: 5_000,
        memoryBytes: null,
        held: 0,
        running: 0,
      },
      {
        number: 2,
        pid: 101,
        state: 'running',
        startedAt: 0,
        reportedAt: 5_000,
        memoryBytes: 50_000_000,
        held: 4,
        running: 4,
      },
    ]);
  });
});
