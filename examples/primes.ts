// Counts primes: a CPU-bound worker that yields to the rest of the program regularly, and can be stopped.
import { currentMessage, type WorkerFactory } from 'sqs-containers';

/** How many numbers it checks before it yields: a few milliseconds of work. */
const NUMBERS_PER_TURN = 10_000;

export const primeCounter: WorkerFactory<[number]> = () => async (limit) => {
  const { signal } = currentMessage();
  let count = 0;
  for (let number = 2; number <= limit; number += 1) {
    if (isPrime(number)) count += 1;
    if (number % NUMBERS_PER_TURN === 0) {
      // Yield, so that the container can extend the message's lease and receive signals.
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
    }
  }
  console.log(`${count} primes up to ${limit}`);
};

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) {
    if (number % divisor === 0) return false;
  }
  return true;
}
