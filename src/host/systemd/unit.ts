/** Generates a systemd unit for a container: start, watchdog, drain and sandboxing. */
import { basename, dirname, extname, resolve } from 'node:path';
import type { Config } from '../../config/config.ts';

export interface UnitOptions {
  /** The executable, such as `sqs-sequential`. */
  readonly name: string;
  /** The command without the ini file: the absolute paths of Node.js and the executable, and options. */
  readonly command: readonly string[];
  readonly config: Config;
  /** For `NAME@.service`: each instance runs the ini file of the same name in the folder of this one. */
  readonly template: boolean;
  /** The current user; runs the service if it writes files of its own. */
  readonly user: string;
  /** Whether the process can send datagrams itself; otherwise systemd-notify does that. */
  readonly sendsDatagrams: boolean;
}

/** Seconds. Long enough for a worker that computes without yielding, which blocks everything else in the process. */
const WATCHDOG_SECONDS = 120;
/** Seconds. */
const RESTART_SECONDS = 5;
/** Seconds: for the rest of the drain after its timeout (see `drain`), and for closing broker and logs. */
const AFTER_DRAIN_TIMEOUT = 20;

/** Sandboxing, the same for all units. */
const SANDBOX = `\
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
# Not MemoryDenyWriteExecute=yes: Node.js compiles at run time and would crash.`;

/** The text of the unit. A template uses the timeout, the user and the folders that this ini file needs. */
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
# Never give up restarting: a broker may be down for a long time.
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=${sendsDatagrams ? 'main' : 'all'}
WorkingDirectory=${unitPath(directory)}
ExecStart=${[...command, template ? '' : file].filter(Boolean).map(unitArgument).join(' ')}${template ? ` %i${extension}` : ''}
# Reopens the log files.
ExecReload=kill -HUP $MAINPID
Environment=NODE_ENV=production
# Variables that the ini file uses: NAME=value, one per line.
EnvironmentFile=-/etc/default/${service}${template ? '%i' : ''}

Restart=${container.idleExit === undefined ? 'always' : 'on-failure'}
RestartSec=${RESTART_SECONDS}
# Invalid usage or configuration: restarting does not help.
RestartPreventExitStatus=64 78
# Kills the process if polling is stuck, or if a worker computes for this long without yielding.
WatchdogSec=${WATCHDOG_SECONDS}
# drain_timeout plus the time to clean up. Programs started by workers keep running while the main process drains.
TimeoutStopSec=${stopSeconds(container.drainTimeout)}
KillMode=mixed

# AWS credentials from a file that only root can read, in the format of ~/.aws/credentials. On EC2 and ECS, use a role.
#LoadCredential=aws:/etc/aws-credentials
#Environment=AWS_SHARED_CREDENTIALS_FILE=%d/aws

${describeUser(written, user)}
# For the record of which messages were running when a process crashed (crash_limit).
StateDirectory=%N
StateDirectoryMode=0700
ProtectHome=${isAtHome ? 'read-only' : 'yes'}
${SANDBOX}

[Install]
WantedBy=multi-user.target`;
}

/** Folders, not files: SQLite adds files next to its own, and rotated logs and sockets are new files. */
function writtenFolders({ container: { broker }, http: { listen = '' }, loggers }: Config): string[] {
  const logs = [loggers.root.target, ...[...loggers.named.values()].flatMap(({ target }) => target ?? [])];
  const files = [broker.replace(/^sqlite:/, ''), listen, ...logs.map(({ path }) => path)];
  return [...new Set(files.filter((path) => path.startsWith('/')).map((path) => dirname(path)))];
}

/** A dynamic user owns only its own folders; to write to others, the service needs a permanent user. */
function describeUser(written: readonly string[], user: string): string {
  if (written.length === 0) return '# A user that exists only while the service runs.\nDynamicUser=yes';
  return `\
# An existing user (useradd --system NAME) that can write to these folders.
User=${user === 'root' ? 'sqs-containers' : user}
ReadWritePaths=${written.map(unitWord).join(' ')}`;
}

/**
 * The longest time in seconds from SIGTERM until a container exits.
 *
 *     stopSeconds(30) // 50
 */
export function stopSeconds(drainTimeout: number): number {
  return Math.ceil(drainTimeout) + AFTER_DRAIN_TIMEOUT;
}

/**
 * Escapes a path for a setting whose value is one path, which may contain spaces. A percent sign would start a
 * specifier, and a line break would start another setting.
 *
 *     unitPath('/srv/100 %') // '/srv/100 %%'
 *     unitPath('/srv/a\nb')  // '/srv/a\\x0ab'
 */
export function unitPath(path: string): string {
  return path.replaceAll('%', '%%').replace(/\p{Cc}/gu, asBytes);
}

/** Escapes each byte of a character, such as `\x0a`. */
function asBytes(character: string): string {
  return Buffer.from(character).toString('hex').replace(/../g, '\\x$&');
}

/**
 * Escapes a path for a setting that takes several paths: in quotes if necessary.
 *
 *     unitWord('/srv/my queue') // '"/srv/my queue"'
 */
export function unitWord(word: string): string {
  const escaped = unitPath(word.replace(/["\\]/g, '\\$&'));
  return /[\s\p{Cc}'"\\;]|^$/u.test(word) ? `"${escaped}"` : escaped;
}

/**
 * Escapes an argument of a command, in which a dollar sign would start a variable.
 *
 *     unitArgument('--suffix=$a') // '--suffix=$$a'
 */
export function unitArgument(argument: string): string {
  return unitWord(argument).replaceAll('$', '$$$$');
}
