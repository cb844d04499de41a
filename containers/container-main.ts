/** What the container executables share: the command line in, the exit code out. */
import { ConfigError, describeConfig, readConfig } from '../src/config/config.ts';
import { loadExpression, WorkerLoadError } from '../src/worker/load.ts';
import { type ContainerKind, runContainer } from './container.ts';
import { type ContainerArguments, parseContainerArguments } from './container-arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

/** Runs a container from the command line; resolves to its exit code. */
export async function containerMain(kind: ContainerKind, args: readonly string[]): Promise<number> {
  let given: ContainerArguments;
  try {
    const parsed = await parseContainerArguments(kind, args);
    if ('text' in parsed) return print(parsed.text);
    given = parsed;
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message, exitCodes.usage);
    throw error;
  }
  try {
    const config = readConfig(given.file);
    if (given.check) {
      await loadExpression(config.container.worker, config.directory);
      return print(describeConfig(config));
    }
    return await runContainer(kind, config, given);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof WorkerLoadError) {
      return complain(error.message, exitCodes.configuration);
    }
    throw error;
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return exitCodes.done;
}

function complain(text: string, code: number): number {
  process.stderr.write(`${text}\n`);
  return code;
}
