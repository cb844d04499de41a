/** `sqs-queues completion`: prints a shell script for tab completion. */

import { exitCodes, UsageError } from '../../host/exit-codes.ts';
import { COMMAND, type Command } from '../command.ts';
import { COMPLETING } from '../completion-words.ts';
import { print } from '../terminal.ts';

const PROGRAMS = 'sqs-queues sqs-sequential sqs-concurrent';

/** The scripts ask the program itself, passing the command line up to the cursor; without an answer, they offer files. */
const SCRIPTS = {
  // Not COMP_WORDS, because bash also splits words at the colon in an address.
  bash: `_sqs_containers() {
  local line="\${COMP_LINE:0:COMP_POINT}" words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local current="\${words[\${#words[@]}-1]}"
  COMPREPLY=($(compgen -W "$("\${words[0]}" ${COMPLETING} "\${words[@]}" 2>/dev/null)" -- "$current"))
}
complete -o default -F _sqs_containers ${PROGRAMS}`,
  zsh: `_sqs_containers() {
  local -a found
  found=("\${(@f)$("\${words[1]}" ${COMPLETING} "\${(@)words[1,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _sqs_containers ${PROGRAMS}`,
} as const;

type Shell = keyof typeof SCRIPTS;

function isShell(name: string | undefined): name is Shell {
  return name !== undefined && Object.hasOwn(SCRIPTS, name);
}

export const completion: Command = (parser, choose) =>
  parser.command(
    'completion [shell]',
    'Print a script for tab completion of commands, options and queue names',
    (command) =>
      command
        .positional('shell', {
          type: 'string',
          describe: 'The shell: bash or zsh',
        })
        .example('source <($0 completion bash)', 'in ~/.bashrc')
        .example('source <($0 completion zsh)', 'in ~/.zshrc, after compinit'),
    ({ shell }) => {
      if (!isShell(shell)) throw new UsageError(COMMAND, 'Name a shell: bash or zsh.');
      choose({ shell }, async () => {
        print(SCRIPTS[shell]);
        return exitCodes.done;
      });
    },
  );
