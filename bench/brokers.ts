/** The brokers, beside what others do on the same stores, and beside themselves. Run: npm run bench -- brokers */
import type { Bench, Finding } from './report.ts';

/** Each is a bench of its own, too: npm run bench -- brokers/speed */
const PARTS = ['speed', 'waiting', 'fairness', 'processes', 'wake-up'];

export async function bench(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const part of PARTS) {
    const { bench } = (await import(`./brokers/${part}.ts`)) as { bench: Bench };
    findings.push(...(await bench()));
  }
  return findings;
}
