// Gets the error of a call that must fail, for specs.
import { expect } from 'chai';

/** Resolves to the error; fails the spec if the call succeeds. */
export function rejection<Failure extends Error = Error>(call: Promise<unknown>): Promise<Failure> {
  return call.then(
    () => expect.fail('The call did not fail.'),
    (reason: Failure) => reason,
  );
}
