// The real machine, except that a spec can block it, as a worker that never yields blocks its process.
import type sinon from 'sinon';
import { type Machine, realMachine, type Timer } from '../../src/host/host.ts';

/** Its real timer changes if it is due while the machine is blocked. */
interface BlockableTimer {
  real: Timer;
}

let isBlocked = false;

export const blockableMachine: Machine = {
  ...realMachine,
  setTimeout(callback, milliseconds) {
    const fire = () => {
      if (isBlocked) timer.real = realMachine.setTimeout(fire, 0);
      else callback();
    };
    const timer: BlockableTimer = { real: realMachine.setTimeout(fire, milliseconds) };
    return timer;
  },
  clearTimeout: (timer) => realMachine.clearTimeout((timer as BlockableTimer | undefined)?.real),
  setInterval: (callback, milliseconds) =>
    realMachine.setInterval(() => {
      if (!isBlocked) callback();
    }, milliseconds),
};

/** Lets time pass like a worker that blocks the process: the broker continues, but the process's own timers wait. */
export function block(clock: sinon.SinonFakeTimers, milliseconds: number): void {
  isBlocked = true;
  clock.jump(milliseconds);
  isBlocked = false;
}
