/**
 * Recognizes errors by brand. A process may contain two copies of this package, such as an application's and a
 * dependency's, and `instanceof` must work for the errors of both.
 */

/**
 * Makes `instanceof` true for errors from any copy of this package. `name` is the class's name; it is not read from the
 * class, because bundlers rename classes. For a subclass without its own brand, `instanceof` works as usual.
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
