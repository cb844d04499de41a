/** Formats numbers, durations and amounts for the page: short, without meaningless digits. */

/**
 *     number(1234567)    // '1,234,567'
 *     number(4.256)      // '4.26'
 */
export function number(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

/** `1,234`, `56.3k`, `1.2M`: for small spaces. */
export function short(value: number): string {
  if (Math.abs(value) < 10_000) return number(value);
  return value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
}

/**
 * Formats a duration in seconds.
 *
 *     duration(0.0042)    // '4.2 ms'
 *     duration(75)        // '1 m 15 s'
 *     duration(90_000)    // '1 d 1 h'
 */
export function duration(seconds: number): string {
  if (seconds < 1) return `${precise(seconds * 1000)} ms`;
  if (seconds < 60) return `${precise(seconds)} s`;
  const whole = Math.floor(seconds);
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor((whole % 86_400) / 3_600), 'h'],
    [Math.floor((whole % 3_600) / 60), 'm'],
    [whole % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

/** `84 MB` */
export function bytes(count: number): string {
  return `${Math.round(count / 2 ** 20)} MB`;
}

/**
 * Formats US dollars: in cents, or with more digits for small amounts.
 *
 *     dollars(12.345)     // '$12.35'
 *     dollars(0.0012)     // '$0.0012'
 */
export function dollars(amount: number): string {
  if (amount === 0 || amount >= 0.1) {
    return `$${amount.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  }
  return amount < 0.0001 ? 'under $0.0001' : `$${Number(amount.toPrecision(2))}`;
}

/** `14:05:09`, in the browser's time zone; with the date unless it is today. */
export function time(at: number, now: number): string {
  const date = new Date(at);
  const clock = date.toLocaleTimeString('en-GB');
  const isToday = date.toDateString() === new Date(now).toDateString();
  return isToday ? clock : `${date.toLocaleDateString('en-CA')} ${clock}`;
}

/** Two significant digits, but never rounds the integer part. */
function precise(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
