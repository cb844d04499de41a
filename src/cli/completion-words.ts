/** What a shell is offered when it completes a command line: taken from what --help says, so that the two never differ. */

/** The argument by which the script of a shell asks: behind it comes the command line so far, word by word. */
export const COMPLETING = '--complete';

/** A command line that is to be completed. */
export interface Unfinished {
  /** The words between the program and the one under the cursor. */
  readonly given: readonly string[];
  /** The word under the cursor, as far as it goes. */
  readonly current: string;
}

/** `words` begin with the program. */
export function unfinished(words: readonly string[]): Unfinished {
  return { given: words.slice(1, -1), current: words.at(-1) ?? '' };
}

export interface Option {
  /** Such as `--config` and `-c`. */
  readonly names: readonly string[];
  readonly takesValue: boolean;
}

/**
 * The options of a help text.
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

/** The commands of a help text. */
export function commandsOf(help: string): string[] {
  const [, commands = ''] = help.split(/^Commands:$/m);
  return [...commands.split(/^Options:$/m)[0]!.matchAll(/^ +[\w-]+ (\w+)/gm)].map(([, command]) => command!);
}

/** The option that the word under the cursor is a value of, if it is one. */
export function optionBefore({ given }: Unfinished, options: readonly Option[]): Option | undefined {
  return options.find(({ names, takesValue }) => takesValue && names.includes(given.at(-1) ?? ''));
}

/** The words that are no options, nor values of options. */
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
