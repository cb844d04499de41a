// Parses Prometheus's text format as strictly as a scraper does, for specs.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Throws if a line is invalid, if a metric has no type before it, or if a series appears twice. */
export function parsePrometheus(text: string): Sample[] {
  const types = new Map<string, string>();
  const series = new Set<string>();
  const samples: Sample[] = [];
  if (!text.endsWith('\n')) throw new Error('The last line has no end.');
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (typed && type) types.set(typed, type);
    if (line === '' || line.startsWith('#')) continue;
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const family = name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(name) && types.get(family) !== 'histogram')
      throw new Error(`No type, or no sample: ${line}`);
    const key = `${name}{${labels}}`;
    if (series.has(key)) throw new Error(`Twice: ${key}`);
    series.add(key);
    samples.push({
      name,
      labels: labelsOf(labels),
      value: value === '+Inf' ? Number.POSITIVE_INFINITY : number(value),
    });
  }
  return samples;
}

/** The value of the only series with these labels. */
export function valueIn(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>>,
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${name} is there ${found.length} times.`);
  return found[0]?.value;
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined) throw new Error(`Wrong labels: ${text}`);
    labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
  }
  return labels;
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isNaN(value)) throw new Error(`No number: ${text}`);
  return value;
}
