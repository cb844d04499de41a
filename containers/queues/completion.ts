/** `sqs-queues completion`: a script that completes command lines in a shell. */
import { COMPLETING } from '../completion-words.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Command } from './command.ts';
import { print } from './terminal.ts';

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

export const completion: Command = (parser, choose) =>
  parser.command(
    'completion <shell>',
    'Print a script that completes commands, options and names of queues',
    (command) =>
      command
        .positional('shell', {
          choices: Object.keys(SCRIPTS) as Shell[],
          demandOption: true,
          describe: 'The shell that it is for',
        })
        .example('source <($0 completion bash)', 'in ~/.bashrc')
        .example('source <($0 completion zsh)', 'in ~/.zshrc, behind compinit'),
    ({ shell }) =>
      choose({ shell }, async () => {
        print(SCRIPTS[shell]);
        return exitCodes.done;
      }),
  );
