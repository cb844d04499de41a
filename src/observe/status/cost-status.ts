/** What the requests of a container cost, as its status has it. */
import { isFifoName } from '../../brokers/rules/queue-name.ts';
import { costPerMillionMessages, type MonthlyRequests, monthlyCost, SECONDS_A_MONTH } from '../cost/cost.ts';
import { PRICES } from '../cost/prices.ts';

/** What the requests cost on Amazon SQS, in US dollars; of another broker: what they would cost there. */
export interface CostStatus {
  readonly isOnSqs: boolean;
  /** The month of the prices. */
  readonly pricesOf: string;
  /** Billed requests a second, over the last minute. */
  readonly requestsPerSecond: number;
  /** Billed requests a message, since the start; null: no message came. */
  readonly requestsPerMessage: number | null;
  /** Since the start, the free requests of the account aside; null: no message came. */
  readonly perMillionMessages: number | null;
  /** If all of a month were as the last minute, with the first million free. */
  readonly perMonth: number;
}

/** What was counted of a queue. `perSecond`: billed requests, over the last minute. */
export interface Billed {
  readonly name: string;
  readonly billedRequests: number;
  readonly received: number;
  readonly perSecond: number;
}

export function costOf(isOnSqs: boolean, queues: readonly Billed[]): CostStatus {
  const byKind = (of: (queue: Billed) => number): MonthlyRequests => {
    const sums = { standard: 0, fifo: 0 };
    for (const queue of queues) sums[isFifoName(queue.name) ? 'fifo' : 'standard'] += of(queue);
    return sums;
  };
  const requests = byKind(({ billedRequests }) => billedRequests);
  const perSecond = byKind((queue) => queue.perSecond);
  const messages = queues.reduce((sum, { received }) => sum + received, 0);
  return {
    isOnSqs,
    pricesOf: PRICES.date,
    requestsPerSecond: perSecond.standard + perSecond.fifo,
    requestsPerMessage: messages === 0 ? null : (requests.standard + requests.fifo) / messages,
    perMillionMessages: costPerMillionMessages(requests, messages) ?? null,
    perMonth: monthlyCost({
      standard: perSecond.standard * SECONDS_A_MONTH,
      fifo: perSecond.fifo * SECONDS_A_MONTH,
    }),
  };
}
