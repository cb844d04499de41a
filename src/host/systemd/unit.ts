/** A systemd unit for a container: started, watched, drained and locked in as it should be. */
import { basename, dirname, extname, resolve } from 'node:path';
import type { Config } from '../../config/config.ts';

export interface UnitOptions {
  /** The executable, such as `sqs-sequential`. */
  readonly name: string;
  /** How it is run, without the ini file: the absolute paths of Node.js and of the executable, and options. */
  readonly command: readonly string[];
  readonly config: Config;
  /** For `NAME@.service`, each instance of which runs the ini file of its own name in the folder of this one. */
  readonly template: boolean;
  /** Who asks for it; runs the service if that has to write files of its own. */
  readonly user: string;
  /** Whether the process can send datagrams itself; else a program does that for it. */
  readonly sendsDatagrams: boolean;
}

/** Seconds. Long enough for what computes without a pause, which keeps the process from everything else, too. */
const WATCHDOG_SECONDS = 120;
/** Seconds. */
const RESTART_SECONDS = 5;
/** Seconds: of the drain after its time limit (see `drain`), and of the last words to the broker and the log. */
const AFTER_DRAIN_TIMEOUT = 20;

/** What is the same for all. */
const LOCKED_IN = `\
UMask=0027
ProtectSystem=strict
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# Node.js compiles while it runs: MemoryDenyWriteExecute=yes would end it.`;

/** The text of the unit. A template has the time limit, the user and the folders that this ini file needs. */
export function systemdUnit(options: UnitOptions): string {
  const { name, command, config, template, user, sendsDatagrams } = options;
  const { container, directory } = config;
  const file = resolve(config.file);
  const extension = extname(file);
  const label = basename(file, extension);
  const service = template ? `${name}@` : `${name}-${label.replace(/[^\w.-]/g, '-')}`;
  const written = writtenFolders(config);
  const isAtHome = [...command, file, ...written].some((path) => /^\/(home|root|run\/user)\//.test(path));
  return `\
# /etc/systemd/system/${service}.service
#
#     systemctl daemon-reload
#     systemctl enable --now ${service}${template ? `INSTANCE  # for INSTANCE${extension}` : ''}

[Unit]
Description=${name} ${template ? '%i' : unitPath(label)}
Wants=network-online.target
After=network-online.target
# Never give up starting again: a broker may be away for long.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=${sendsDatagrams ? 'main' : 'all'}
WorkingDirectory=${unitPath(directory)}
ExecStart=${[...command, template ? '' : file].filter(Boolean).map(unitArgument).join(' ')}${template ? ` %i${extension}` : ''}
# Opens the log files again.
ExecReload=kill -HUP $MAINPID
Environment=NODE_ENV=production
# What the ini file takes from the environment: NAME=value, one a line.
EnvironmentFile=-/etc/default/${service}${template ? '%i' : ''}

Restart=${container.idleExit === undefined ? 'always' : 'on-failure'}
RestartSec=${RESTART_SECONDS}
# Wrong usage and bad configuration: starting again does not help.
RestartPreventExitStatus=64 78
# Ends the process when polling does not go on, or when a worker computes for so long without a pause.
WatchdogSec=${WATCHDOG_SECONDS}
# drain_timeout, and what comes after it. What workers have started goes on while the main process drains.
TimeoutStopSec=${stopSeconds(container.drainTimeout)}
KillMode=mixed

# AWS credentials in a file that only root can read, written as ~/.aws/credentials. On EC2 and ECS, use a role.
#LoadCredential=aws:/etc/aws-credentials
#Environment=AWS_SHARED_CREDENTIALS_FILE=%d/aws

${describeUser(written, user)}
# For the record of what was running when a process ended (crash_limit).
StateDirectory=%N
StateDirectoryMode=0700
ProtectHome=${isAtHome ? 'read-only' : 'yes'}
${LOCKED_IN}

[Install]
WantedBy=multi-user.target`;
}

/** The folders, not the files: SQLite has files beside its own, and a log after its rotation or a socket is a new file. */
function writtenFolders({ container: { broker }, http: { listen = '' }, loggers }: Config): string[] {
  const logs = [loggers.root.target, ...[...loggers.named.values()].flatMap(({ target }) => target ?? [])];
  const files = [broker.replace(/^sqlite:/, ''), listen, ...logs.map(({ path }) => path)];
  return [...new Set(files.filter((path) => path.startsWith('/')).map((path) => dirname(path)))];
}

/** A user of the moment owns no folder but its own: who writes to others has to be one that stays. */
function describeUser(written: readonly string[], user: string): string {
  if (written.length === 0) return '# A user that exists only while the service runs.\nDynamicUser=yes';
  return `\
# A user that exists (useradd --system NAME), and that may write to these folders.
User=${user === 'root' ? 'sqs-containers' : user}
ReadWritePaths=${written.map(unitWord).join(' ')}`;
}

/**
 * Seconds from SIGTERM until a container has ended for sure; who waits longer waits in vain.
 *
 *     stopSeconds(30) // 50
 */
export function stopSeconds(drainTimeout: number): number {
  return Math.ceil(drainTimeout) + AFTER_DRAIN_TIMEOUT;
}

/**
 * A path where a line takes one path, spaces and all. A percent sign begins a specifier there. The end of a line cannot be
 * in it: what follows would be a setting of its own.
 *
 *     unitPath('/srv/100 %') // '/srv/100 %%'
 *     unitPath('/srv/a\nb')  // '/srv/a\\x0ab'
 */
export function unitPath(path: string): string {
  return path.replaceAll('%', '%%').replace(/\p{Cc}/gu, asBytes);
}

/** `\x0a`: each byte of a character. */
function asBytes(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '\\x$&');
}

/**
 * A path where a line takes several: in quotes if need be.
 *
 *     unitWord('/srv/my queue') // '"/srv/my queue"'
 */
export function unitWord(word: string): string {
  const escaped = unitPath(word.replace(/["\\]/g, '\\$&'));
  return /[\s\p{Cc}'"\\;]|^$/u.test(word) ? `"${escaped}"` : escaped;
}

/**
 * An argument of a command: a dollar sign would begin a variable there.
 *
 *     unitArgument('--suffix=$a') // '--suffix=$$a'
 */
export function unitArgument(argument: string): string {
  return unitWord(argument).replaceAll('$', '$$$$');
}
