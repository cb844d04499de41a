/** What keeps the status server from its start. */

export class StatusServerError extends Error {
  override readonly name = 'StatusServerError';
  /** True if starting again may help: another process has the address, perhaps one that is ending. */
  readonly temporary: boolean;

  /** The message says what was tried, why it failed and what to do. */
  constructor(
    message: string,
    { temporary, cause }: { readonly temporary: boolean; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.temporary = temporary;
  }
}
