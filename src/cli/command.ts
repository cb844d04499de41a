/** What a command of `sqs-queues` is: its part of the command line, and what it then does. */
import type { Argv } from 'yargs';
import type { ExitCode } from './exit-codes.ts';
import type { Place } from './place.ts';

/** Adds itself to the command line, and is chosen there. */
export type Command = (parser: Argv<PlaceOptions>, choose: Choose) => Argv<PlaceOptions>;

/** `given` is what the command line says, checked; `run` then does it. */
export type Choose = <Given extends object>(
  given: Given,
  run: (given: Given, place: Place) => Promise<ExitCode>,
) => void;

/** The options that all commands have. */
export interface PlaceOptions {
  readonly config: string | undefined;
  readonly broker: string | undefined;
  readonly json: boolean;
}

/** The positional arguments of a command: those that yargs found, and those behind a `--`, which it leaves in `_`. */
export function positionals(
  { _: [, ...behindDashes] }: { readonly _: readonly (string | number)[] },
  found: readonly string[] = [],
): string[] {
  return [...found, ...behindDashes.map(String)];
}
