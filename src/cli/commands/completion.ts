/** `sqs-queues completion`: a script that completes command lines in a shell. */

import { exitCodes, UsageError } from '../../host/exit-codes.ts';
import { COMMAND, type Command } from '../command.ts';
import { COMPLETING } from '../completion-words.ts';
import { print } from '../terminal.ts';

const PROGRAMS = 'sqs-queues sqs-sequential sqs-concurrent';

/** They ask the program itself, with the command line up to the cursor; where it knows nothing, files are offered. */
const SCRIPTS = {
  // Not from COMP_WORDS, which bash also parts at the colon of an address.
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
    'Print a script that completes commands, options and names of queues',
    (command) =>
      command
        .positional('shell', {
          type: 'string',
          describe: 'The shell that it is for: bash or zsh',
        })
        .example('source <($0 completion bash)', 'in ~/.bashrc')
        .example('source <($0 completion zsh)', 'in ~/.zshrc, behind compinit'),
    ({ shell }) => {
      if (!isShell(shell)) throw new UsageError(COMMAND, 'Name a shell: bash or zsh.');
      choose({ shell }, async () => {
        print(SCRIPTS[shell]);
        return exitCodes.done;
      });
    },
  );
