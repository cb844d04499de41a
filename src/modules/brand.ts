/**
 * Errors that are told by brand: a process may have two copies of this package, such as those of an application and of a
 * dependency, and what one of them throws is the same to the other.
 */

/**
 * Lets `instanceof` hold for the errors of every copy of this package. `name` is that of the class, which is not read
 * from it, because bundlers rename classes. A subclass without a brand of its own is told by `instanceof` as ever.
 *
 *     class QueueNotFoundError extends BrokerError {
 *       static {
 *         brand(QueueNotFoundError, 'QueueNotFoundError');
 *       }
 *     }
 */
export function brand(errorClass: new (...args: never[]) => Error, name: string): void {
  const key = Symbol.for(`sqs-containers.${name}`);
  Object.defineProperty(errorClass.prototype, key, { value: true });
  Object.defineProperty(errorClass, Symbol.hasInstance, {
    value(this: unknown, error: unknown): boolean {
      if (this !== errorClass) return Function.prototype[Symbol.hasInstance].call(this, error);
      return typeof error === 'object' && error !== null && key in error;
    },
  });
}
