// A worker that keeps a processor busy: it counts primes, and gives up when it is told to.
import { currentMessage, type WorkerFactory } from 'sqs-containers';

/** How many numbers are looked at before others get a turn: leases are extended in between. */
const STRETCH = 50_000;

export const primeCounter: WorkerFactory<[number]> = () => async (limit) => {
  const { signal } = currentMessage();
  let count = 0;
  for (let number = 2; number <= limit; number += 1) {
    if (isPrime(number)) count += 1;
    if (number % STRETCH === 0) {
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
  return number > 1;
}
