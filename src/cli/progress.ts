/** A progress bar on a terminal, with the rate and the remaining time. Elsewhere it shows nothing. */
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
      // An interrupt is for the command to answer.
      gracefulExit: false,
      linewrap: true,
    });
  }

  /** `left`: how many messages are still to go. */
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

  /** Leaves the bar as it is, and goes to the next line. */
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

/** How far something has come, how fast it goes, and how long it will take. */
export interface Pace {
  readonly done: number;
  readonly total: number;
  /** Per second, of late. Negative while more comes in than goes. */
  readonly rate: number;
  /** Undefined while it does not go forward. */
  readonly secondsLeft: number | undefined;
}

interface Sample {
  readonly left: number;
  /** Milliseconds. */
  readonly at: number;
}

/** What is older says little of how fast it goes now. */
const WINDOW_MS = 60_000;

/**
 * Keeps what was left at each look, of the last minute.
 *
 *     const pacer = new Pacer();
 *     pacer.look(100, 0);
 *     pacer.look(80, 10_000);    // { done: 20, total: 100, rate: 2, secondsLeft: 40 }
 */
export class Pacer {
  #samples: Sample[] = [];
  #total = 0;

  /** `left` is what is still to be done, `now` in milliseconds. More may be left than before: then the total was more. */
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
