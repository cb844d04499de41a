/** A progress bar on a terminal, with the rate and the remaining time. Elsewhere it shows nothing. */
import { SingleBar } from 'cli-progress';
import { Pacer } from '../queues/pace.ts';
import { formatSeconds } from './values.ts';

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
