/** What a shell is offered when it completes a command line of a container: options, and what its ini file names. */
import { type Config, readConfig } from '../config/config.ts';
import type { Program } from '../container/program.ts';
import { longNames, optionBefore, optionsOf, plainWords, unfinished } from './completion-words.ts';
import { parseContainerArguments } from './container-arguments.ts';

/** What may come next. `words` is the command line, from the program to the word under the cursor. */
export async function containerCompletions(program: Program, words: readonly string[]): Promise<string[]> {
  const line = unfinished(words);
  const help = await parseContainerArguments(program, ['--help']);
  const options = optionsOf('text' in help ? help.text : '');
  const before = optionBefore(line, options);
  if (!before) return line.current.startsWith('-') ? longNames(options) : [];
  const [file] = plainWords(line, options);
  const container = file === undefined ? undefined : readQuietly(file)?.container;
  if (before.names.includes('--queue')) return container?.queue.map(({ name }) => name) ?? [];
  return before.names.includes('--suffix') ? [...(container?.suffixes ?? [])] : [];
}

/** What is wrong with the file, the container says when it is started. */
function readQuietly(file: string): Config | undefined {
  try {
    return readConfig(file);
  } catch {
    return undefined;
  }
}
