/** A progress bar with the rate and the remaining time. Shows nothing unless stderr is a terminal. */
import { SingleBar } from 'cli-progress';
import { formatSeconds } from './terminal.ts';

export class Progress {
  readonly #pacer = new Pacer();
  readonly #bar: SingleBar | undefined;

  constructor(isShown: boolean = process.stderr.isTTY) {
    if (!isShown) return;
    this.#bar = new SingleBar({
      format: '{bar} {value} of {total}  {rate}  {remaining}',
      barsize: 30,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      // The command itself handles interrupts.
      gracefulExit: false,
      linewrap: true,
    });
  }

  /** `left`: how many messages remain. */
  show(left: number): void {
    if (!this.#bar) return;
    const { done, total, rate, secondsLeft } = this.#pacer.look(left, performance.now());
    const texts = {
      rate: `${formatRate(rate)}/s`,
      remaining: secondsLeft === undefined ? '' : `${formatSeconds(secondsLeft)} left`,
    };
    if (!this.#bar.isActive) this.#bar.start(total, done, texts);
    this.#bar.setTotal(total);
    this.#bar.update(done, texts);
  }

  /** Leaves the bar on the screen and moves to the next line. */
  end(): void {
    this.#bar?.stop();
  }
}

/**
 *     formatRate(1234.5)    // '1235'
 *     formatRate(0.456)     // '0.5'
 */
export function formatRate(rate: number): string {
  return rate.toFixed(Math.abs(rate) < 10 ? 1 : 0);
}

/** The progress of some work: how much is done, how fast it goes, and how long the rest will take. */
export interface Pace {
  readonly done: number;
  readonly total: number;
  /** The recent rate per second. Negative while more work arrives than is done. */
  readonly rate: number;
  /** Undefined while there is no progress. */
  readonly secondsLeft: number | undefined;
}

interface Sample {
  readonly left: number;
  /** Milliseconds. */
  readonly at: number;
}

/** Older samples say little about the current rate. */
const WINDOW_MS = 60_000;

/**
 * Remembers how much was left at each sample in the last minute.
 *
 *     const pacer = new Pacer();
 *     pacer.look(100, 0);
 *     pacer.look(80, 10_000);    // { done: 20, total: 100, rate: 2, secondsLeft: 40 }
 */
export class Pacer {
  #samples: Sample[] = [];
  #total = 0;

  /** `left` is the remaining work, `now` is in milliseconds. If more is left than ever before, the total grows. */
  look(left: number, now: number): Pace {
    this.#total = Math.max(this.#total, left);
    this.#samples = [...this.#samples.filter(({ at }) => now - at <= WINDOW_MS), { left, at: now }];
    const [first] = this.#samples as [Sample, ...Sample[]];
    const rate = now > first.at ? ((first.left - left) / (now - first.at)) * 1000 : 0;
    return {
      done: this.#total - left,
      total: this.#total,
      rate,
      secondsLeft: left === 0 ? 0 : rate > 0 ? left / rate : undefined,
    };
  }
}
