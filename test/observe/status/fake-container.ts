// A container whose state a spec controls, and its monitor.
import sinon from 'sinon';
import type { Queue } from '../../../src/brokers/broker.ts';
import { MemoryBroker } from '../../../src/brokers/memory/broker.ts';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import type { ContainerState, ProcessStatus } from '../../../src/observe/status/health.ts';
import { Monitor, type StatusSource } from '../../../src/observe/status/monitor.ts';
import type { ContainerFacts } from '../../../src/observe/status/status.ts';

export class FakeContainer implements StatusSource {
  readonly metrics = new Metrics();
  state: ContainerState = 'running';
  broker = 'memory, as postgres://me:abc@host/db';
  silentSeconds = 0;
  readonly pause = sinon.spy();
  readonly resume = sinon.spy();
  readonly wake = sinon.spy();
  readonly #queues: Promise<readonly Queue[]>;

  constructor() {
    this.#queues = new MemoryBroker().open('work').then((queue) => [queue]);
  }

  get total() {
    const { silentSeconds } = this;
    return this.metrics.snapshot(4, [{ name: 'work', held: 2, running: 1, failing: false, silentSeconds }]);
  }

  get processes(): ProcessStatus[] {
    const now = Date.now();
    const { state } = this;
    return [
      { number: 1, pid: 7, state, startedAt: now, memoryBytes: 1, held: 2, running: 1, reportedAt: now },
    ];
  }

  queues(): Promise<readonly Queue[]> {
    return this.#queues;
  }
}

export const FACTS: ContainerFacts = {
  program: 'sqs-sequential',
  file: 'worker.ini',
  version: '1.0.0',
  roles: { work: 'worked' },
  isOnSqs: false,
};
/** How long its receives wait, in seconds. */
export const WAIT_SECONDS = 20;

export function monitorOf(container: FakeContainer): Monitor {
  return new Monitor(container, FACTS, WAIT_SECONDS);
}
