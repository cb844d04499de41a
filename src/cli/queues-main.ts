/** `sqs-queues`, from the command line to the exit code: opens the broker, runs a command, prints the result. */

import { type ExitCode, exitCodes, printFatal } from '../host/exit-codes.ts';
import { COMMAND, CommandContext } from './command.ts';
import { COMPLETING } from './completion-words.ts';
import { handOver } from './project-copy.ts';
import { parseQueuesArguments } from './queues-arguments.ts';
import { queuesCompletions } from './queues-completions.ts';
import { print } from './terminal.ts';

/** Runs one command; resolves to the exit code. */
export async function queuesMain(args: readonly string[]): Promise<ExitCode> {
  if (args[0] === COMPLETING) {
    print((await queuesCompletions(args.slice(1))).join('\n'));
    return exitCodes.done;
  }
  let context: CommandContext | undefined;
  try {
    const chosen = await parseQueuesArguments(args);
    if ('text' in chosen) {
      print(chosen.text);
      return exitCodes.done;
    }
    const { config } = chosen.common;
    if (config !== undefined) await handOver(COMMAND, config);
    context = await CommandContext.of(chosen.common);
    return await chosen.run(context);
  } catch (error) {
    return printFatal(error);
  } finally {
    await context?.close();
  }
}
