/**
 * A container's metrics in Prometheus's text format. Names follow OpenTelemetry's conventions for messaging where those
 * have one, as Prometheus writes it; the others start with `sqs_containers_`.
 */
import { AggregatorRegistry } from 'prom-client';
import type { QueueCounts } from '../../brokers/broker.ts';
import { BOUNDS, countOf, type HistogramCounts } from './histogram.ts';
import type { QueueSnapshot, Snapshot } from './snapshot.ts';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A metric in prom-client's JSON. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum';
  readonly values: readonly Value[];
}

interface Value {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

type Queues = readonly (readonly [string, QueueSnapshot])[];

/** The text for a scrape. `depths`: message counts of the queues for which they are known. */
export function prometheusText(
  { slots, queues: byName, startedAt }: Snapshot,
  processes: number,
  depths: Readonly<Record<string, QueueCounts>>,
): Promise<string> {
  const all = Object.entries(byName);
  const queues = all.filter(([, { worked }]) => worked);
  const families: Family[] = [
    ...countersOf(queues, all),
    ...gaugesOf(queues, depths),
    gauge('sqs_containers_slots', 'Messages that can run at the same time.', [{ value: slots, labels: {} }]),
    gauge('sqs_containers_processes', 'Processes that run workers.', [{ value: processes, labels: {} }]),
    gauge('process_start_time_seconds', 'Start time of the first process, since the epoch.', [
      { value: startedAt / 1000, labels: {} },
    ]),
  ];
  return AggregatorRegistry.aggregate([families]).metrics();
}

/** The counters: of `queues`, which have workers, and of `all`, which includes queues that are only sent to. */
function countersOf(queues: Queues, all: Queues): Family[] {
  return [
    histogram(
      'messaging_process_duration_seconds',
      'How long workers took.',
      queues,
      ({ handling }) => handling,
    ),
    histogram(
      'sqs_containers_message_age_seconds',
      'Age of messages when received.',
      queues,
      ({ age }) => age,
    ),
    counter(
      'messaging_client_consumed_messages_total',
      'Messages received.',
      each(queues, ({ received }) => received),
    ),
    counter(
      'sqs_containers_messages_total',
      'Messages by outcome.',
      queues.flatMap(([queue, { outcomes }]) => labelled(queue, 'outcome', { ...outcomes })),
    ),
    counter(
      'sqs_containers_receives_total',
      'Receives by result.',
      queues.flatMap(([queue, { emptyReceives: empty, fullReceives: full, failedReceives: failed }]) =>
        labelled(queue, 'result', { empty, full, failed }),
      ),
    ),
    counter(
      'sqs_containers_requests_total',
      'Requests to the broker, by action of the SQS API.',
      all.flatMap(([queue, { requests }]) => labelled(queue, 'action', requests)),
    ),
    counter(
      'sqs_containers_billed_requests_total',
      'Requests as billed by SQS: one for each 64 KiB.',
      each(all, ({ billedRequests }) => billedRequests),
    ),
    counter(
      'sqs_containers_lease_extensions_total',
      'Extensions of visibility timeouts.',
      each(queues, ({ leaseExtensions }) => leaseExtensions),
    ),
    counter(
      'sqs_containers_leases_lost_total',
      'Messages that another process may have received while this one held them.',
      each(queues, ({ leasesLost }) => leasesLost),
    ),
  ];
}

/** The current values. */
function gaugesOf(queues: Queues, depths: Readonly<Record<string, QueueCounts>>): Family[] {
  return [
    gauge(
      'sqs_containers_held_messages',
      'Messages currently held.',
      each(queues, ({ held }) => held),
    ),
    gauge(
      'sqs_containers_running_messages',
      'Messages currently being handled.',
      each(queues, ({ running }) => running),
    ),
    gauge(
      'sqs_containers_queue_messages',
      'Messages in the queue, by state; approximate.',
      Object.entries(depths).flatMap(([queue, { visible, inFlight, delayed }]) =>
        labelled(queue, 'state', { visible, in_flight: inFlight, delayed }),
      ),
    ),
  ];
}

const QUEUE = 'messaging_destination_name';

function counter(name: string, help: string, values: readonly Value[]): Family {
  return { name, help, type: 'counter', aggregator: 'sum', values };
}

function gauge(name: string, help: string, values: readonly Value[]): Family {
  return { name, help, type: 'gauge', aggregator: 'sum', values };
}

function each(queues: Queues, value: (queue: QueueSnapshot) => number): Value[] {
  return queues.map(([queue, snapshot]) => ({ value: value(snapshot), labels: { [QUEUE]: queue } }));
}

function labelled(queue: string, label: string, counts: Readonly<Record<string, number>>): Value[] {
  return Object.entries(counts).map(([name, value]) => ({
    value,
    labels: { [QUEUE]: queue, [label]: name },
  }));
}

function histogram(
  name: string,
  help: string,
  queues: Queues,
  of: (queue: QueueSnapshot) => HistogramCounts,
): Family {
  const values = queues.flatMap(([queue, snapshot]): Value[] => {
    const counted = of(snapshot);
    const labels = { [QUEUE]: queue };
    let count = 0;
    const buckets = BOUNDS.flatMap((bound, index): Value[] => {
      count += counted.counts[index] ?? 0;
      if (!isShown(bound)) return [];
      return [{ value: count, labels: { ...labels, le: bound }, metricName: `${name}_bucket` }];
    });
    const total = countOf(counted);
    return [
      ...buckets,
      { value: total, labels: { ...labels, le: '+Inf' }, metricName: `${name}_bucket` },
      { value: counted.sum, labels, metricName: `${name}_sum` },
      { value: total, labels, metricName: `${name}_count` },
    ];
  });
  return { name, help, type: 'histogram', aggregator: 'sum', values };
}

/** Exports only some buckets, because each is a time series: 1, 2 and 5 of each power of ten, from 1 ms to 14 hours. */
function isShown(bound: number): boolean {
  return bound >= 0.001 && bound <= 50_000 && /^0*[125]0*$/.test(String(bound).replace('.', ''));
}
