/**
 * Compares two candidates more finely than trials one after the other do: each has a process of its own, both are warm,
 * and they take turns of half a second, so that what else the machine does meets both alike. In the other's turn a
 * candidate's handler keeps its messages waiting.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CandidateName } from './candidates.ts';

export const TURNS = 12;
export const TURN_SECONDS = 0.5;
/** Long enough for what is loaded when somebody looks at a status server for the first time. */
const WARM_UP_SECONDS = 4;

/** What a candidate did in a turn. */
export interface Turn {
  readonly messages: number;
  /** CPU time of its process, in microseconds. */
  readonly cpu: number;
}

/** CPU time a message of each candidate, in microseconds, with a handler that does nothing. */
export async function takeTurns(one: CandidateName, other: CandidateName): Promise<[number, number]> {
  const players = [one, other].map((name) =>
    fork(join(import.meta.dirname, 'turn-taker.ts'), [name], { execArgv: [] }),
  ) as [ChildProcess, ChildProcess];
  await Promise.all(players.map((player) => once(player, 'message')));
  for (const player of players) await turn(player, WARM_UP_SECONDS);
  const turns: [Turn[], Turn[]] = [[], []];
  for (let count = 0; count < TURNS; count += 1) {
    // Each is as often the first as the second.
    for (const index of count % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      turns[index].push(await turn(players[index], TURN_SECONDS));
    }
  }
  const exits = players.map((player) => once(player, 'exit'));
  for (const player of players) player.disconnect();
  await Promise.all(exits);
  return [perMessage(turns[0]), perMessage(turns[1])];
}

async function turn(player: ChildProcess, seconds: number): Promise<Turn> {
  player.send(seconds);
  const [done] = (await once(player, 'message')) as [Turn];
  return done;
}

function perMessage(turns: readonly Turn[]): number {
  const sum = (of: (turn: Turn) => number) => turns.reduce((total, turn) => total + of(turn), 0);
  return sum(({ cpu }) => cpu) / sum(({ messages }) => messages);
}
