import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Metrics } from '../../../src/observe/metrics/metrics.ts';
import { prometheusText } from '../../../src/observe/metrics/prometheus.ts';
import { parsePrometheus } from './parse-prometheus.ts';

const METRIC = /\b(?:messaging|sqs_containers|process)_[a-z_]+(?=[{[\s),]|$)/g;
const load = { name: 'work', held: 0, running: 0, failing: false, silentSeconds: 0 };

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
}

describe('the metrics named', () => {
  async function existing(): Promise<Map<string, Set<string>>> {
    const metrics = new Metrics();
    metrics.requested('work', 'ReceiveMessage', 0);
    const counts = { visible: 0, inFlight: 0, delayed: 0 };
    const samples = parsePrometheus(await prometheusText(metrics.snapshot(1, [load]), 1, { work: counts }));
    const labels = new Map<string, Set<string>>();
    for (const { name, labels: own } of samples) labels.set(name, new Set(Object.keys(own)));
    return labels;
  }

  it('in examples/grafana-dashboard.json exist, with the labels that they are grouped by', async () => {
    const dashboard = JSON.parse(readFileSync('examples/grafana-dashboard.json', 'utf8')) as Dashboard;
    const expressions = [
      ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
      ...dashboard.templating.list.map(({ query }) => query),
    ];
    const known = await existing();
    const named = expressions.flatMap((expression) =>
      (expression.match(METRIC) ?? []).filter((name) => name !== 'messaging_destination_name'),
    );
    expect(new Set(named).size).to.be.at.least(12);
    for (const name of named) expect(known.has(name), name).to.equal(true);
    for (const expression of expressions) {
      const [, grouped = ''] = /\bby \(([^)]*)\)/.exec(expression) ?? [];
      const [metric = ''] = (expression.match(METRIC) ?? []).filter(
        (name) => name !== 'messaging_destination_name',
      );
      for (const label of grouped.split(', ').filter(Boolean)) {
        expect(known.get(metric)?.has(label), `${label} in ${expression}`).to.equal(true);
      }
    }
  });

  it('in docs/operating.md exist, and are complete', async () => {
    const text = readFileSync('docs/operating.md', 'utf8');
    const families = [...(await existing()).keys()].map((name) =>
      name.replace(/(?<=seconds)_(bucket|sum|count)$/, ''),
    );
    const table = text.slice(text.indexOf('| metric | |'), text.indexOf('The first two have the names'));
    const named = [...table.matchAll(/`((?:messaging|sqs_containers|process)_[a-z_]+)(?:\{\w+\})?`/g)].map(
      ([, name]) => name,
    );
    expect(new Set(named)).to.deep.equal(new Set(families));
  });
});
