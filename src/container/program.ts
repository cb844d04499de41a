/** The two programs that run a container. They differ only in how many messages they handle at once, decided here. */
import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';

export type Program = 'sqs-sequential' | 'sqs-concurrent';

/** Name of a program's logger, as in `[logger.sequential]`. */
export function loggerName(program: Program): string {
  return program.slice('sqs-'.length);
}

/**
 * The settings that a program uses: `sqs-sequential` handles one message at a time in one process, regardless of what
 * the ini file sets for `sqs-concurrent`.
 */
export function settingsOf(program: Program, config: Config): Config {
  if (program === 'sqs-concurrent') return config;
  return { ...config, container: { ...config.container, concurrency: 1, processes: 1 } };
}

/** Number of worker processes; `processes = auto` means one per CPU. */
export function processCount({ container: { processes } }: Config): number {
  return processes === 'auto' ? availableParallelism() : processes;
}

/** Whether a parent process is needed: to run several processes, or to replace those that use too much memory. */
export function needsProcesses(config: Config): boolean {
  return processCount(config) > 1 || config.container.maxMemory !== undefined;
}
