/** What the specs need to know of a kind of server, to start one or to use one that runs. */

export interface ServerKind {
  /** For people: `Postgres`. */
  readonly name: string;
  /** The environment variables that name a server that runs, the first one first. */
  readonly variables: readonly string[];
  /** The Debian packages that have its programs. */
  readonly packages: readonly string[];
  /** Whether its programs are on this machine. */
  isInstalled(): boolean;
  /** The address of a server that the environment names, or undefined. */
  addressInEnvironment(): string | undefined;
  /** Starts one on a free port of this machine, with its files in a temporary folder. */
  start(): Promise<StartedServer>;
}

export interface StartedServer {
  /** As brokers take it. */
  readonly address: string;
  /** Ends the server as a crash does, and starts it again on the same port with what was on its disk. */
  restart(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}
