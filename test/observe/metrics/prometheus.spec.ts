import { expect } from 'chai';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import { prometheusText } from '../../../src/observe/metrics/prometheus.ts';
import { parsePrometheus, valueIn } from './parse-prometheus.ts';

const queue = { name: 'work' };
const delivery = { queue, message: { id: '1', receiveCount: 1, body: 'x', sentAt: Date.now() } };

function counted() {
  const metrics = new Metrics();
  metrics.received(queue, [{ sentAt: Date.now() - 1_500 }]);
  metrics.received(queue, []);
  metrics.handled(delivery, 30);
  metrics.failed(delivery, new Error('no'), { action: 'retry' }, 2_000);
  metrics.requested('work', 'ReceiveMessage', 0);
  metrics.requested('failed', 'SendMessageBatch', 70_000);
  return metrics.snapshot(4, [{ name: 'work', held: 3, running: 2, failing: false, silentSeconds: 0 }]);
}

const depths = { work: { visible: 7, inFlight: 3, delayed: 1 } };

describe('the text for Prometheus', () => {
  it('contains all counts', async () => {
    const samples = parsePrometheus(await prometheusText(counted(), 2, depths));
    const name = { messaging_destination_name: 'work' };
    const value = (metric: string, labels = {}) => valueIn(samples, metric, { ...name, ...labels });
    expect(value('messaging_client_consumed_messages_total')).to.equal(1);
    expect(value('sqs_containers_messages_total', { outcome: 'handled' })).to.equal(1);
    expect(value('sqs_containers_messages_total', { outcome: 'retried' })).to.equal(1);
    expect(value('sqs_containers_receives_total', { result: 'empty' })).to.equal(1);
    expect(value('sqs_containers_requests_total', { action: 'ReceiveMessage' })).to.equal(1);
    expect(value('sqs_containers_held_messages')).to.equal(3);
    expect(value('sqs_containers_queue_messages', { state: 'in_flight' })).to.equal(3);
    expect(
      valueIn(samples, 'sqs_containers_billed_requests_total', { messaging_destination_name: 'failed' }),
    ).to.equal(2);
    expect(valueIn(samples, 'sqs_containers_slots', {})).to.equal(4);
    expect(valueIn(samples, 'sqs_containers_processes', {})).to.equal(2);
  });

  it('has histograms that add up, with few buckets', async () => {
    const samples = parsePrometheus(await prometheusText(counted(), 1, {}));
    const of = (suffix: string) =>
      samples.filter(({ name }) => name === `messaging_process_duration_seconds_${suffix}`);
    const buckets = of('bucket').map(({ labels, value }) => [
      Number(labels.le?.replace('+Inf', 'Infinity')),
      value,
    ]);
    expect(buckets.slice(0, 6)).to.deep.equal([
      [0.001, 0],
      [0.002, 0],
      [0.005, 0],
      [0.01, 0],
      [0.02, 0],
      [0.05, 1],
    ]);
    expect(buckets.find(([bound]) => bound === 1)?.[1]).to.equal(1);
    expect(buckets.find(([bound]) => bound === 2)?.[1]).to.equal(2);
    expect(buckets.at(-1)).to.deep.equal([Number.POSITIVE_INFINITY, 2]);
    expect(buckets).to.have.length(25);
    expect(of('sum')[0]?.value).to.be.closeTo(2.03, 1e-9);
    expect(of('count')[0]?.value).to.equal(2);
  });

  it('has only requests for queues that are only sent to', async () => {
    const samples = parsePrometheus(await prometheusText(counted(), 1, depths));
    const names = samples.filter(({ labels }) => labels.messaging_destination_name === 'failed');
    expect(new Set(names.map(({ name }) => name))).to.deep.equal(
      new Set(['sqs_containers_requests_total', 'sqs_containers_billed_requests_total']),
    );
  });
});
