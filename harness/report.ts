/** Prints results: numbers, tables, and findings compared with their targets. */
import Table from 'cli-table3';

/** Three significant digits, except that whole numbers keep all digits: `0.201`, `5.4 ms`, `54321/s`. */
export function show(value: number, unit = ''): string {
  const text = value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return unit === '' || unit.startsWith('/') ? `${text}${unit}` : `${text} ${unit}`;
}

/** A table as text, without colors. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

/** A measured number, its target, and whether the target was met. */
export interface Finding {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  readonly reached: boolean;
}

/** A benchmark: prints its comparisons and returns the findings about this project. */
export type Bench = () => Promise<Finding[]>;

export function atMost(what: string, measured: number, target: number, unit = ''): Finding {
  return {
    what,
    measured: show(measured, unit),
    target: `≤ ${show(target, unit)}`,
    reached: measured <= target,
  };
}

export function atLeast(what: string, measured: number, target: number, unit = ''): Finding {
  return {
    what,
    measured: show(measured, unit),
    target: `≥ ${show(target, unit)}`,
    reached: measured >= target,
  };
}

export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  console.log(`\n${title}\n${tableOf(head, rows)}`);
}

export function printFindings(findings: readonly Finding[]): void {
  printTable(
    'Targets',
    ['', 'measured', 'target', ''],
    findings.map(({ what, measured, target, reached }) => [
      what,
      measured,
      target,
      reached ? 'met' : 'MISSED',
    ]),
  );
}
