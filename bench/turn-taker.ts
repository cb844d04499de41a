/** The process of a candidate that takes turns: a message of its parent is a turn, in seconds, and it answers what it did. */
import { type CandidateName, candidates } from './candidates.ts';
import { sleep } from './handlers.ts';
import { startStub } from './stub.ts';
import type { Turn } from './turns.ts';

/** More than are handled in all turns. */
const MESSAGES = 400_000;

async function run(name: CandidateName): Promise<void> {
  const stub = await startStub(0, MESSAGES);
  let handled = 0;
  let turn = Promise.withResolvers<void>();
  /** Undefined while it is this candidate's turn. */
  let wait: Promise<void> | undefined = turn.promise;
  const handle = () => {
    handled += 1;
    return wait;
  };
  process.on('message', async (seconds: number) => {
    wait = undefined;
    turn.resolve();
    const [handledBefore, cpu] = [handled, process.cpuUsage()];
    await sleep(seconds * 1000);
    const { user, system } = process.cpuUsage(cpu);
    const done: Turn = { messages: handled - handledBefore, cpu: user + system };
    turn = Promise.withResolvers();
    wait = turn.promise;
    process.send?.(done);
  });
  const end = new AbortController();
  process.once('disconnect', () => {
    wait = undefined;
    turn.resolve();
    end.abort();
  });
  const candidate = await candidates[name].load();
  const running = candidate({ stub, handle, end: end.signal });
  process.send?.('ready');
  await running;
  await stub.stop();
  if (handled >= MESSAGES) throw new Error(`${MESSAGES} messages were too few for ${name}.`);
}

await run(process.argv[2] as CandidateName);
process.exit();
