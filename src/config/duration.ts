/** Durations as people write them: `30`, `0.5`, `500ms`, `10s`, `5m`, `1h30m`, `2d`. */
import parse from 'parse-duration';

export type DurationUnit = 'seconds' | 'milliseconds';

const NUMBER = String.raw`\d+(?:\.\d+)?`;
/**
 * parse-duration accepts anything that contains a number, so we check the text first: a plain number, or each unit at
 * most once, longest first.
 */
const DURATION = new RegExp(
  `^(?=\\d)(?:${NUMBER}|${['d', 'h', 'm', 's', 'ms'].map((unit) => `(?:${NUMBER}\\s*${unit}\\s*)?`).join('')})$`,
);

/**
 * A duration in `unit`; a plain number is also in `unit`. Undefined if the text is not a duration.
 *
 *     parseDuration('1.5', 'seconds')         // 1.5
 *     parseDuration('500ms', 'seconds')       // 0.5
 *     parseDuration('1h30m', 'seconds')       // 5400
 *     parseDuration('200', 'milliseconds')    // 200
 *     parseDuration('soon', 'seconds')        // undefined
 */
export function parseDuration(text: string, unit: DurationUnit): number | undefined {
  if (!DURATION.test(text)) return undefined;
  // Without rounding, 2.05m would be 122.99999999999999 seconds.
  return Number(parse(text, unit)?.toFixed(6));
}
