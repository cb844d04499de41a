/** The exit codes of the executables, after BSD's sysexits where it has one. */
export const exitCodes = {
  /** Done, or drained after a signal. */
  done: 0,
  /** Wrong usage of the command line. */
  usage: 64,
  /** At start, the broker or the queue cannot be reached, or another process has the address of the status server. */
  unavailable: 69,
  /** A defect: of this program, or of a worker that broke the process. */
  software: 70,
  /** Drained, but a worker did not end even after its signal had aborted; or a command was not done in time. */
  unfinished: 75,
  /** Bad configuration: starting again will not help. */
  configuration: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
