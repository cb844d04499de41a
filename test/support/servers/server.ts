/** What the specs need to know of the programs that they use, and of the servers among these. */

export interface Program {
  /** For people: `Chromium`. */
  readonly name: string;
  /** The Debian packages that have it. */
  readonly packages: readonly string[];
  /** Whether it is on this machine. */
  isInstalled(): boolean;
}

export interface ServerKind extends Program {
  /** The environment variables that name a server that runs; the first one gets the address of one that is started. */
  readonly variables: readonly string[];
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
