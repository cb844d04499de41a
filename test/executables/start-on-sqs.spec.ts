import { expect } from 'chai';
import { cleanUp, type Executable, folderWith, run, start } from '../support/executable.ts';
import { type Stub, startStub } from '../support/sqs-stub.ts';

describe('sqs-sequential at start, on SQS', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  let stub: Stub;
  before(async () => {
    stub = await startStub({ queues: ['jobs'] });
  });
  after(() => stub.stop());

  const credentials = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret' };
  const region = { AWS_REGION: 'eu-west-1' };
  const production = { NODE_ENV: 'production' };

  function folderFor(queue: string): string {
    const ini = `[container]\nworker = ./worker.mjs:worker\nqueue = ${queue}\n`;
    return folderWith({ 'worker.ini': ini, 'worker.mjs': 'export const worker = () => () => {};' });
  }

  function runWith(environment: Record<string, string>, queue = 'jobs'): Promise<Executable> {
    return run('sequential', ['worker.ini'], {
      folder: folderFor(queue),
      environment: { ...production, ...environment },
    });
  }

  function expectUnavailable({ stderr, ended }: Executable, ...told: (string | RegExp)[]): void {
    expect(ended).to.equal(69);
    const lines = stderr.trimEnd().split('\n');
    expect(lines, stderr).to.have.lengthOf(1);
    for (const part of told) {
      if (typeof part === 'string') expect(stderr).to.contain(part);
      else expect(stderr).to.match(part);
    }
  }

  it('warns about queues without a prefix, except in production', async () => {
    const environment = { ...credentials, ...region, AWS_ENDPOINT_URL_SQS: stub.url };
    for (const [more, warnings] of [
      [{}, 1],
      [production, 0],
    ] as const) {
      const { stderr, ended } = await run('sequential', ['worker.ini', '--idle-exit', '100ms'], {
        folder: folderFor('jobs'),
        environment: { ...environment, ...more },
      });
      expect(ended, stderr).to.equal(0);
      expect(stderr.match(/WARN sequential: .*queue_prefix/g) ?? []).to.have.lengthOf(warnings);
    }
  });

  it('logs which region it is connected to', async () => {
    const environment = { ...credentials, ...region, AWS_ENDPOINT_URL_SQS: stub.url };
    const container = start('sequential', ['worker.ini'], { folder: folderFor('jobs'), environment });
    await container.prints(
      /INFO sequential: Connected to SQS in region eu-west-1 at http:\S+, queue "jobs"$/,
    );
    container.signal('SIGTERM');
    expect(await container.exit()).to.equal(0);
  });

  it('names the queue that does not exist, the region, and the command that creates it', async () => {
    const container = await runWith(
      { ...credentials, ...region, AWS_ENDPOINT_URL_SQS: stub.url },
      'missing-jobs',
    );
    expectUnavailable(
      container,
      'The queue "missing-jobs" does not exist in SQS in region eu-west-1',
      'sqs-queues create missing-jobs',
    );
  });

  it('reports a missing region, and where to set it', async () => {
    expectUnavailable(await runWith(credentials), 'No AWS region', 'AWS_REGION', '[sqs] region');
  });

  it('reports missing credentials, and where to set them', async () => {
    const container = await runWith({ ...region, AWS_ENDPOINT_URL_SQS: stub.url });
    expectUnavailable(
      container,
      'No AWS credentials',
      'eu-west-1',
      'AWS_PROFILE',
      'AWS_ACCESS_KEY_ID',
      'role',
    );
  });

  it('gives up in reasonable time when nothing listens at the endpoint, and names it', async () => {
    const gone = await startStub();
    await gone.stop();
    const startedAt = performance.now();
    const container = await runWith({ ...credentials, ...region, AWS_ENDPOINT_URL_SQS: gone.url });
    expectUnavailable(container, `at ${gone.url}`, 'ECONNREFUSED', 'Check the network and the endpoint');
    expect(performance.now() - startedAt).to.be.below(15_000);
  });

  it('names the unknown host of an endpoint', async () => {
    const container = await runWith({
      ...credentials,
      ...region,
      AWS_ENDPOINT_URL_SQS: 'http://no-such-host.invalid',
    });
    expectUnavailable(container, 'no-such-host.invalid', /ENOTFOUND|EAI_AGAIN/);
  });
});
