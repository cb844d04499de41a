/** The queues of a run. */

export const STANDARD_QUEUE = 'orders';
export const FIFO_QUEUE = 'steps.fifo';
