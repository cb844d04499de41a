// Runs a page's code for a spec: on a fake clock, in a test container, capturing its output.
import sinon from 'sinon';
import { TestContainer } from 'sqs-containers/test';

export class PageRun {
  clock!: sinon.SinonFakeTimers;
  container!: TestContainer;
  #printed!: sinon.SinonStub;

  /** For `beforeEach`. */
  begin(): void {
    this.clock = sinon.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
    this.#printed = sinon.stub(console, 'log');
  }

  /** For `afterEach`. */
  async end(): Promise<void> {
    await this.container.stop();
    sinon.restore();
  }

  /** Starts the container. */
  async start(source: Parameters<typeof TestContainer.start>[0]): Promise<void> {
    this.container = await TestContainer.start(source);
  }

  /** The printed lines, one per call of `console.log`. */
  get lines(): string[] {
    return this.#printed.args.map((values) => values.join(' '));
  }
}
