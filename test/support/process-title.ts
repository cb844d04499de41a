/** Names each process of mocha after the spec that it runs, so that `ps` shows which one hangs. */
import type { Context } from 'mocha';

export const mochaHooks = {
  beforeEach(this: Context): void {
    const { file, title } = this.currentTest!;
    process.title = `mocha ${file}: ${title}`;
  },
};
