/** A container's loggers, configured by `[logger]` and `[logger.NAME]`: winston, with our formats and destinations. */
import winston from 'winston';
import Transport from 'winston-transport';
import { ConfigError } from '../../config/config-error.ts';
import {
  type LoggersSettings,
  type LogLevel,
  type LogTarget,
  MESSAGES_LOGGER,
} from '../../config/logger-settings.ts';
import { encodeLine } from '../../message/log-lines.ts';
import { Destination, withPriority } from './destination.ts';
import { formatOf, type LogFormat, type LogRecord } from './formats.ts';

type Log = (message: string, error?: unknown, fields?: LogRecord['fields']) => void;

/** One logger. Errors are logged with their stack and causes. */
export type Logger = Readonly<Record<LogLevel, Log>>;

export interface Loggers {
  /** The logger with this name, configured by `[logger.NAME]`, or else by `[logger]`. */
  get(name: string): Logger;
  /**
   * Writes the body of a failed message to the messages log, alone on a line. Throws if that fails: the message must not
   * be deleted then.
   */
  keep(body: string): void;
  /** Reopens the log files after a rotation. Failures are logged, and logging continues to the old file. */
  reopen(): void;
  close(): void;
}

const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/**
 * Without a format, winston stringifies each record and everything attached to its error, such as an HTTP client's
 * buffers and sockets. Our transports do the formatting instead.
 */
const PASS_THROUGH: winston.Logform.Format = { transform: (record) => record };

/** Opens all destinations. Throws ConfigError, which names the section and the file that cannot be written. */
export function openLoggers(
  settings: LoggersSettings,
  environment: NodeJS.ProcessEnv = process.env,
): Loggers {
  return new OpenLoggers(settings, environment);
}

interface OpenLogger extends Logger {
  readonly transports: readonly LineTransport[];
}

class OpenLoggers implements Loggers {
  readonly #settings: LoggersSettings;
  readonly #environment: NodeJS.ProcessEnv;
  /** By path: loggers with the same file share its destination. */
  readonly #destinations = new Map<string, Destination>();
  readonly #loggers = new Map<string, OpenLogger>();

  constructor(settings: LoggersSettings, environment: NodeJS.ProcessEnv) {
    this.#settings = settings;
    this.#environment = environment;
    this.#open('logger', settings.root.target.path);
    for (const { section, target } of settings.named.values()) if (target) this.#open(section, target.path);
  }

  get(name: string): OpenLogger {
    let logger = this.#loggers.get(name);
    if (!logger) {
      logger = this.#make(name);
      this.#loggers.set(name, logger);
    }
    return logger;
  }

  keep(body: string): void {
    const { error, transports } = this.get(MESSAGES_LOGGER);
    error(encodeLine(body));
    // One copy is enough if another destination is unavailable.
    const failures = transports.flatMap(({ failure }) => failure ?? []);
    if (failures.length === transports.length) throw failures[0];
  }

  reopen(): void {
    for (const destination of this.#destinations.values()) {
      try {
        destination.reopen();
      } catch (error) {
        this.get('logger').error(`The log file ${destination.path} cannot be reopened`, error);
      }
    }
  }

  close(): void {
    for (const destination of this.#destinations.values()) destination.close();
    this.#destinations.clear();
  }

  #open(section: string, path: string): void {
    if (this.#destinations.has(path)) return;
    try {
      this.#destinations.set(path, new Destination(path));
    } catch (cause) {
      this.close();
      const text = `the log file ${path} cannot be opened: ${(cause as Error).message}; set a file that this user can write`;
      throw new ConfigError([{ file: this.#settings.file, section, key: 'path', value: path, text }], {
        cause,
      });
    }
  }

  #make(name: string): OpenLogger {
    const { root, named } = this.#settings;
    const { level, target, propagate } = named.get(name) ?? {
      level: root.level,
      target: undefined,
      propagate: true,
    };
    const targets = [...(target ? [target] : []), ...(propagate ? [root.target] : [])];
    const transports = targets.map((one) => this.#transport(one));
    const logger = winston.createLogger({ levels: { ...LEVELS }, level, format: PASS_THROUGH, transports });
    const at =
      (recordLevel: LogLevel): Log =>
      (message, error, fields) => {
        if (LEVELS[recordLevel] > LEVELS[level]) return;
        logger.log({ level: recordLevel, logger: name, time: new Date(), message, error, fields });
      };
    return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug'), transports };
  }

  #transport({ path, format }: LogTarget): LineTransport {
    const destination = this.#destinations.get(path);
    if (!destination) throw new Error(`The log ${path} is closed.`);
    return new LineTransport(destination, formatOf(format), this.#environment);
  }
}

/** A winston transport: formats a record and writes it, with a priority for systemd's journal. */
class LineTransport extends Transport {
  readonly #destination: Destination;
  readonly #format: LogFormat;
  readonly #isJournal: boolean;
  /** The error of the last write, if it failed. */
  failure: Error | undefined;

  constructor(destination: Destination, format: LogFormat, environment: NodeJS.ProcessEnv) {
    super();
    this.#destination = destination;
    this.#format = format;
    this.#isJournal = destination.isJournal(environment);
  }

  /** Called by winston. A failing log does not stop the container: callers that need to know check `failure`. */
  override log(record: LogRecord, next: () => void): void {
    try {
      const text = this.#format(record);
      this.#destination.write(this.#isJournal ? withPriority(text, record.level) : text);
      this.failure = undefined;
    } catch (error) {
      this.failure = error as Error;
    }
    next();
  }
}
