/** Parses command lines and help texts for shell completion. Words come from --help, so that the two never differ. */

/** With this argument a shell's script asks for completions; the words of the command line so far follow it. */
export const COMPLETING = '--complete';

/** A command line to complete. */
export interface Unfinished {
  /** The words between the program and the one under the cursor. */
  readonly given: readonly string[];
  /** The word under the cursor, as typed so far. */
  readonly current: string;
}

/** Splits a command line to complete; `words` starts with the program. */
export function unfinished(words: readonly string[]): Unfinished {
  return { given: words.slice(1, -1), current: words.at(-1) ?? '' };
}

export interface Option {
  /** Such as `-c` and `--config`. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
}

/**
 * The options listed in a help text.
 *
 *     optionsOf('Options:\n  -c, --config  The file  [string]\n')
 *     // [{ names: ['-c', '--config'], takesValue: true }]
 */
export function optionsOf(help: string): Option[] {
  const [, options = ''] = help.split(/^Options:$/m);
  return options.split(/\n(?= +-)/).flatMap((block) => {
    const [names] = /(?:-\w, )?--[\w-]+/.exec(block) ?? [];
    return names ? [{ names: names.split(', '), takesValue: !block.includes('[boolean]') }] : [];
  });
}

/** The commands listed in a help text. */
export function commandsOf(help: string): string[] {
  const [, commands = ''] = help.split(/^Commands:$/m);
  return [...commands.split(/^Options:$/m)[0]!.matchAll(/^ +[\w-]+ (\w+)/gm)].map(([, command]) => command!);
}

/** The option whose value is under the cursor, if any. */
export function optionBefore({ given }: Unfinished, options: readonly Option[]): Option | undefined {
  return options.find(({ names, takesValue }) => takesValue && names.includes(given.at(-1) ?? ''));
}

/** The words that are neither options nor their values. */
export function plainWords({ given }: Unfinished, options: readonly Option[]): string[] {
  return given.filter(
    (word, index) =>
      !word.startsWith('-') && !optionBefore({ given: given.slice(0, index), current: '' }, options),
  );
}

/** The long names of the options. */
export function longNames(options: readonly Option[]): string[] {
  return options.flatMap(({ names }) => names.filter((name) => name.startsWith('--')));
}
