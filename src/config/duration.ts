/** Durations as people write them: `30`, `0.5`, `500ms`, `10s`, `5m`, `12h`, `1h30m`. */
import parse from 'parse-duration';

export type DurationUnit = 'seconds' | 'milliseconds';

const MILLISECONDS = { seconds: 1000, milliseconds: 1 } as const;

const NUMBER = String.raw`\d+(?:\.\d+)?`;
const plain = new RegExp(`^${NUMBER}$`);
/** parse-duration takes anything with a number in it, so what it gets is checked first: units once each, long ones first. */
const withUnits = new RegExp(
  `^(?=\\d)${['d', 'h', 'm', 's', 'ms'].map((unit) => `(?:${NUMBER}\\s*${unit}\\s*)?`).join('')}$`,
);

/**
 * A duration in `unit`, in which a number alone is, too; undefined if the text is none.
 *
 *     parseDuration('1.5', 'seconds')         // 1.5
 *     parseDuration('500ms', 'seconds')       // 0.5
 *     parseDuration('1h30m', 'seconds')       // 5400
 *     parseDuration('200', 'milliseconds')    // 200
 *     parseDuration('soon', 'seconds')        // undefined
 */
export function parseDuration(text: string, unit: DurationUnit): number | undefined {
  if (plain.test(text)) return Number(text);
  if (!withUnits.test(text)) return undefined;
  const milliseconds = parse(text);
  return milliseconds === null ? undefined : milliseconds / MILLISECONDS[unit];
}
