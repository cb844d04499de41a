/** What `--print-unit` prints: a systemd unit for this ini file, and for the program as it is installed here. */
import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import type { Program } from '../container/program.ts';
import { systemdUnit } from '../host/systemd/unit.ts';
import type { ContainerArguments } from './container-arguments.ts';

/** The text of the unit; `template`: of one for many ini files. */
export async function unitFor(
  program: Program,
  config: Config,
  { queues, suffix, overrides }: ContainerArguments,
  template: boolean,
): Promise<string> {
  const { messageLimit, idleExit } = overrides;
  const options = [
    ...queues.map((name) => `--queue=${name}`),
    ...(suffix === undefined ? [] : [`--suffix=${suffix}`]),
    ...(messageLimit === undefined ? [] : [`--message-limit=${messageLimit}`]),
    ...(idleExit === undefined ? [] : [`--idle-exit=${idleExit}`]),
  ];
  return systemdUnit({
    name: program,
    command: [process.execPath, resolve(process.argv[1] ?? ''), ...options],
    config,
    template,
    user: userInfo().username,
    sendsDatagrams: await hasKoffi(),
  });
}

async function hasKoffi(): Promise<boolean> {
  try {
    await import('koffi');
    return true;
  } catch {
    return false;
  }
}
