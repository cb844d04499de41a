// For specs of code that must get its clock, timers and random numbers from a machine.
import sinon from 'sinon';

/**
 * From now on, records the names of clocks, timers and random numbers of the process that our own code uses, until
 * `sinon.restore()`. They keep working.
 */
export function recordTouchedGlobals(): string[] {
  const touched: string[] = [];
  for (const [object, name] of [
    [performance, 'now'],
    [Date, 'now'],
    [Math, 'random'],
    [globalThis, 'setTimeout'],
    [globalThis, 'setInterval'],
    [globalThis, 'setImmediate'],
  ] as const) {
    const real = Reflect.get(object, name) as (...args: unknown[]) => unknown;
    sinon.replace(object as Record<string, unknown>, name, (...args: unknown[]) => {
      if (/\/src\/[a-z]+\//.test(new Error().stack ?? '')) touched.push(name);
      return real.apply(object, args);
    });
  }
  return touched;
}
