/** The error for a status server that cannot start. */

export class StatusServerError extends Error {
  override readonly name = 'StatusServerError';
  /** True if a restart may help: another process uses the address, and may be about to exit. */
  readonly temporary: boolean;

  /** The message says what failed, why, and what to do. */
  constructor(
    message: string,
    { temporary, cause }: { readonly temporary: boolean; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.temporary = temporary;
  }
}
