// What a call that must fail is rejected with, for specs.
import { expect } from 'chai';

/** Fails the spec if the call works. */
export function rejection<Failure extends Error = Error>(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => expect.fail('It was no error.'),
    (reason: Failure) => reason,
  );
}
