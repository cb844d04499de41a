/** Follows a move that the broker does by itself, until it is over. */
import type { Move, MoveUnderWay } from '../brokers/broker.ts';

/** How often to look, in milliseconds. */
const EVERY_MS = 1_000;

/** Resolves when the move is over; the signal cancels it. Throws a BrokerError if it fails. */
export async function follow(
  move: MoveUnderWay,
  signal: AbortSignal,
  onLook: (found: Move) => void,
): Promise<Move> {
  let isCancelling = false;
  for (;;) {
    const found = await move.look();
    onLook(found);
    if (found.isOver) return found;
    if (signal.aborted && !isCancelling) {
      isCancelling = true;
      await move.cancel();
    }
    await pause(EVERY_MS, isCancelling ? undefined : signal);
  }
}

/** Ends early when the signal aborts. */
async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}
