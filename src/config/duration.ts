/** Durations as people write them: `30`, `0.5`, `500ms`, `10s`, `5m`, `1h30m`, `2d`. */
import parse from 'parse-duration';

export type DurationUnit = 'seconds' | 'milliseconds';

const NUMBER = String.raw`\d+(?:\.\d+)?`;
/**
 * parse-duration takes anything with a number in it, so what it gets is checked first: a number alone, or units once
 * each, long ones first.
 */
const DURATION = new RegExp(
  `^(?=\\d)(?:${NUMBER}|${['d', 'h', 'm', 's', 'ms'].map((unit) => `(?:${NUMBER}\\s*${unit}\\s*)?`).join('')})$`,
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
  if (!DURATION.test(text)) return undefined;
  // Without the rounding 2.05m would be 122.99999999999999 seconds.
  return Number(parse(text, unit)?.toFixed(6));
}
