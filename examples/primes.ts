// Counts primes: a worker that keeps the processor busy, lets the rest of the program have its turns, and can be told to stop.
import { currentMessage, type WorkerFactory } from 'sqs-containers';

/** How many numbers are looked at in one turn: some milliseconds' work. */
const NUMBERS_A_TURN = 10_000;

export const primeCounter: WorkerFactory<[number]> = () => async (limit) => {
  const { signal } = currentMessage();
  let count = 0;
  for (let number = 2; number <= limit; number += 1) {
    if (isPrime(number)) count += 1;
    if (number % NUMBERS_A_TURN === 0) {
      // The others' turn: the container keeps the message its own, and hears that it is to stop.
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
