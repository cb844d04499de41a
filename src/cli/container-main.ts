/** What the container executables share: the command line in, the exit code out. */
import { resolve } from 'node:path';
import { brokerKind } from '../brokers/address.ts';
import { loadBrokerFactory } from '../brokers/custom.ts';
import { type Config, readConfig } from '../config/config.ts';
import { describeConfig } from '../config/describe.ts';
import { nameProblems } from '../config/queue-names.ts';
import { suggest } from '../config/suggestion.ts';
import { needsProcesses, type Program, settingsOf } from '../container/program.ts';
import { claimPidFile } from '../host/daemon/pid-file.ts';
import { findDaemonStarter } from '../host/daemon/starter.ts';
import { loadExpression } from '../modules/load.ts';
import { findParent } from '../supervisor/child.ts';
import { checkFactory } from '../worker/worker.ts';
import { COMPLETING } from './completion-words.ts';
import { type ContainerArguments, parseContainerArguments } from './container-arguments.ts';
import { complain } from './error-exit.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';

/** Runs a container from the command line; resolves to its exit code. */
export async function containerMain(program: Program, args: readonly string[]): Promise<ExitCode> {
  try {
    if (args[0] === COMPLETING) {
      const { containerCompletions } = await import('./container-completions.ts');
      return print((await containerCompletions(program, args.slice(1))).join('\n'));
    }
    const given = await parseContainerArguments(program, args);
    if ('text' in given) return print(given.text);
    const config = settingsFor(program, given);
    if (given.check) return await check(config);
    if (given.printUnit) {
      const { unitFor } = await import('./print-unit.ts');
      return print(await unitFor(program, config, given, given.printUnit === 'template'));
    }
    if (given.stop && given.pidFile !== undefined) {
      const { stop } = await import('./daemon.ts');
      return await stop(given.pidFile, config);
    }
    const parent = findParent();
    const onReady = findDaemonStarter();
    if (given.daemonize && !parent && !onReady) {
      const { daemonize } = await import('./daemon.ts');
      return await daemonize(program, config);
    }
    // Also when a second signal ends the process at once.
    if (given.pidFile !== undefined && !parent) process.once('exit', claimPidFile(resolve(given.pidFile)));
    // Imported only when run: for --help, --check, and the parent of processes the run loop need not be loaded.
    if (!parent && needsProcesses(config)) {
      const { runProcesses } = await import('../supervisor/processes.ts');
      return await runProcesses(program, config, { suffix: given.suffix, onReady });
    }
    const { runContainer } = await import('../container/container.ts');
    return await runContainer(program, config, { suffix: given.suffix, parent, onReady });
  } catch (error) {
    return complain(error);
  }
}

/** The settings of the ini file, but for those that the command line has. Throws UsageError. */
function settingsFor(program: Program, { file, queues, suffix, overrides }: ContainerArguments): Config {
  const config = settingsOf(program, readConfig(file));
  const names = config.container.queue.map(({ name }) => name);
  const unknown = queues.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const advice = suggest(unknown, names, 'it has');
    throw new UsageError(program, `--queue ${unknown}: ${file} has no such queue; ${advice}.`);
  }
  const queue = config.container.queue.filter(({ name }) => queues.length === 0 || queues.includes(name));
  const container = { ...config.container, queue, ...overrides };
  const [problem] = nameProblems(container, suffix);
  if (problem) throw new UsageError(program, `--suffix ${suffix}: ${problem.text}.`);
  return { ...config, container };
}

/** Looks at everything that can be looked at without making a worker or opening a broker. */
async function check(config: Config): Promise<ExitCode> {
  const { worker, broker } = config.container;
  checkFactory(await loadExpression(worker, config.directory), worker);
  if (brokerKind(broker) === 'custom') await loadBrokerFactory(broker, config.directory);
  return print(describeConfig(config));
}

function print(text: string): ExitCode {
  process.stdout.write(`${text}\n`);
  return exitCodes.done;
}
