/** The two programs that run a container. They differ in how many messages they handle at once, which is decided here. */
import { availableParallelism } from 'node:os';
import type { Config } from '../config/config.ts';

export type Program = 'sqs-sequential' | 'sqs-concurrent';

/** The name of a program's logger, as in `[logger.sequential]`. */
export function loggerName(program: Program): string {
  return program.slice('sqs-'.length);
}

/**
 * The settings as a program runs them: `sqs-sequential` handles one message at a time, in one process, whatever the ini
 * file has for `sqs-concurrent`.
 */
export function settingsOf(program: Program, config: Config): Config {
  if (program === 'sqs-concurrent') return config;
  return { ...config, container: { ...config.container, concurrency: 1, processes: 1 } };
}

/** How many processes work on the queues; `processes = auto` is one for each processor. */
export function processCount({ container: { processes } }: Config): number {
  return processes === 'auto' ? availableParallelism() : processes;
}

/** Whether the container needs a parent with processes of its own: for several of them, or to replace one that grows. */
export function needsProcesses(config: Config): boolean {
  return processCount(config) > 1 || config.container.maxMemory !== undefined;
}
