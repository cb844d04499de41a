/** The main function of the container executables, from command line to exit code. */
import { resolve } from 'node:path';
import { type Config, readConfig } from '../config/config.ts';
import { nameProblems } from '../config/queue-names.ts';
import { suggest } from '../config/suggestion.ts';
import { needsProcesses, type Program, settingsOf } from '../container/program.ts';
import { findDaemonStarter } from '../host/daemon.ts';
import { type ExitCode, exitCodes, printFatal, UsageError } from '../host/exit-codes.ts';
import { claimPidFile } from '../host/pid-file.ts';
import { findParent } from '../supervisor/parent-process.ts';
import { COMPLETING } from './completion-words.ts';
import {
  type ContainerArguments,
  completeContainerArguments,
  parseContainerArguments,
} from './container-arguments.ts';
import { handOver } from './project-copy.ts';

/** Runs a container from the command line; resolves to its exit code. */
export async function containerMain(program: Program, args: readonly string[]): Promise<ExitCode> {
  try {
    if (args[0] === COMPLETING) {
      return print((await completeContainerArguments(program, args.slice(1))).join('\n'));
    }
    const given = await parseContainerArguments(program, args);
    if ('text' in given) return print(given.text);
    await handOver(program, given.file);
    const config = settingsFor(program, given);
    const parent = findParent();
    const onReady = findDaemonStarter();
    const { pidFile } = given;
    const isStarted = parent !== undefined || onReady !== undefined;
    if (given.check || given.printUnit || given.stop || (given.daemonize && !isStarted)) {
      return await act(program, config, given);
    }
    // Also when a second signal exits immediately.
    if (pidFile !== undefined && !parent) process.once('exit', claimPidFile(resolve(pidFile)));
    // Imported here, because --help, --check and a parent process do not need the run loop.
    if (!parent && needsProcesses(config)) {
      const { runSupervisedContainer } = await import('../supervisor/supervised-container.ts');
      return await runSupervisedContainer(program, config, { suffix: given.suffix, onReady });
    }
    const { runContainer } = await import('../container/container.ts');
    return await runContainer(program, config, { suffix: given.suffix, parent, onReady });
  } catch (error) {
    return printFatal(error);
  }
}

/** The settings of the ini file, with the command line's overrides. Throws UsageError. */
function settingsFor(program: Program, { file, queues, suffix, overrides }: ContainerArguments): Config {
  const config = settingsOf(program, readConfig(file));
  const names = config.container.queue.map(({ name }) => name);
  const unknown = queues.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const advice = suggest(unknown, names, 'it lists');
    throw new UsageError(program, `--queue ${unknown}: ${file} does not list this queue; ${advice}.`);
  }
  const queue = config.container.queue.filter(({ name }) => queues.length === 0 || queues.includes(name));
  const container = { ...config.container, queue, ...overrides };
  const [problem] = nameProblems(container, suffix);
  if (problem) throw new UsageError(program, `--suffix ${suffix}: ${problem.text}.`);
  return { ...config, container };
}

/** Runs an action other than running a container. */
async function act(program: Program, config: Config, given: ContainerArguments): Promise<ExitCode> {
  const { checkedSettings, daemonize, stop, unitText } = await import('./container-actions.ts');
  const { check, printUnit, pidFile } = given;
  if (check) return print(await checkedSettings(config));
  if (printUnit) return print(await unitText(program, config, given, printUnit === 'template'));
  if (given.stop && pidFile !== undefined) return stop(pidFile, config);
  return daemonize(program, config);
}

function print(text: string): ExitCode {
  process.stdout.write(`${text}\n`);
  return exitCodes.done;
}
