import { once } from 'node:events';
import { chmodSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { parsePrometheus, valueIn } from '../observe/metrics/parse-prometheus.ts';
import { cleanUp, eventually, putOff, run } from '../support/executable.ts';
import { call, openQueue } from '../support/executable-brokers.ts';
import { getOnSocket, post, startWithStatus, statusAt, statusFolder } from '../support/status-server.ts';

const WORK = { messaging_destination_name: 'jobs' };

async function metricsAt(url: string) {
  return parsePrometheus(await (await fetch(`${url}metrics`)).text());
}

describe('a container with a status server', function () {
  this.timeout(30_000);
  afterEach(cleanUp);

  it('shows what it has done', async () => {
    const folder = statusFolder('quick');
    const queue = await openQueue(folder);
    await call(queue, [1], ['bad'], [{ password: 'abc' }]);
    const { url } = await startWithStatus(folder);
    await eventually(async () => (await statusAt(url)).queues[0]?.outcomes.handled === 2);
    const { container, queues, processes, failures } = await statusAt(url);
    expect(container).to.include({
      program: 'sqs-sequential',
      file: 'worker.ini',
      state: 'running',
      slots: 1,
    });
    expect(queues[0]?.outcomes).to.deep.equal({ handled: 2, dropped: 1, retried: 0, buried: 0 });
    expect(processes).to.have.length(1);
    expect(failures[0]?.error).to.contain('no such user');
    const samples = await metricsAt(url);
    expect(valueIn(samples, 'messaging_client_consumed_messages_total', WORK)).to.equal(3);
    expect(
      valueIn(samples, 'sqs_containers_requests_total', { ...WORK, action: 'ReceiveMessage' }),
    ).to.be.above(0);
    expect(await (await fetch(`${url}status`)).text())
      .to.contain('\nqueue jobs: ')
      .and.not.to.contain('abc');
  });

  it('receives nothing while it is paused, and continues when it is resumed', async () => {
    const folder = statusFolder('quick');
    const { container, url } = await startWithStatus(folder);
    const queue = await openQueue(folder);
    expect((await post(url, 'pause', 'wrong')).status).to.equal(401);
    expect((await post(url, 'pause')).status).to.equal(200);
    expect((await statusAt(url)).container.state).to.equal('paused');
    await call(queue, [1]);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await queue.counts()).visible).to.equal(1);
    await post(url, 'resume');
    await container.prints(/did 1/);
  });

  it('is not ready while it drains, answers until the end, and exits even if events are open', async () => {
    const folder = statusFolder('patient');
    await call(await openQueue(folder), [1]);
    const { container, url } = await startWithStatus(folder);
    await container.prints(/began 1/);
    expect((await fetch(`${url}readyz`)).status).to.equal(200);
    const events = await fetch(`${url}events`);
    container.signal('SIGTERM');
    await container.prints(/SIGTERM: draining/);
    expect((await fetch(`${url}readyz`)).status).to.equal(503);
    expect((await fetch(`${url}healthz`)).status).to.equal(200);
    expect((await statusAt(url)).container.state).to.equal('draining');
    writeFileSync(join(folder, 'finish'), '');
    expect(await container.exit()).to.equal(0);
    await events.text().catch(() => {});
  });

  it('adds up its processes, and never counts backwards when one is killed', async () => {
    const folder = statusFolder(
      'quick',
      'processes = 2\nconcurrency = 1\nvisibility_timeout = 1\ncrash_limit = 1',
    );
    const queue = await openQueue(folder);
    await call(queue, ...Array.from({ length: 20 }, (_, number) => [number]));
    const { url } = await startWithStatus(folder, 'concurrent');
    const handled = async () =>
      valueIn(await metricsAt(url), 'sqs_containers_messages_total', { ...WORK, outcome: 'handled' });
    await eventually(async () => (await handled()) === 20);
    const before = (await statusAt(url)).processes.map(({ pid }) => pid);
    expect(before).to.have.length(2);
    await call(queue, ['end']);
    await eventually(async () => {
      expect(await handled()).to.be.at.least(20);
      const { processes } = await statusAt(url);
      return (
        processes.length === 2 &&
        processes.some(({ pid, state }) => !before.includes(pid) && state === 'running')
      );
    });
    await call(queue, [21]);
    await eventually(async () => (await handled()) === 21);
  });

  it('pauses all of its processes, including those that start in the meantime', async () => {
    const folder = statusFolder('quick', 'processes = 2');
    const { container, url } = await startWithStatus(folder, 'concurrent');
    await container.prints(/Connected/, 2);
    await post(url, 'pause');
    const paused = async () => {
      const { processes } = await statusAt(url);
      return processes.length === 2 && processes.every(({ state }) => state === 'paused')
        ? processes
        : undefined;
    };
    await eventually(async () => (await paused()) !== undefined);
    const [first] = (await paused())!;
    process.kill(first!.pid, 'SIGKILL');
    await container.prints(/Connected/, 3);
    await eventually(async () => (await paused())?.every(({ pid }) => pid !== first!.pid) ?? false);
    expect((await statusAt(url)).container.state).to.equal('paused');
    await call(await openQueue(folder), [1]);
    await post(url, 'resume');
    await container.prints(/did 1/);
  });

  it('listens on a Unix socket that others cannot open, and replaces a stale one', async () => {
    const folder = statusFolder('quick', '', './status.sock');
    const socket = join(folder, 'status.sock');
    const first = await startWithStatus(folder);
    expect(statSync(socket).mode & 0o777).to.equal(0o660);
    expect(await getOnSocket(socket, '/healthz')).to.equal('ok\n');
    const second = await run('sequential', ['worker.ini'], { folder });
    expect(second.ended).to.equal(69);
    first.container.signal('SIGKILL');
    await first.container.exit();
    expect(existsSync(socket)).to.equal(true);
    const third = await startWithStatus(folder);
    expect(await getOnSocket(socket, '/healthz')).to.equal('ok\n');
    third.container.signal('SIGTERM');
    expect(await third.container.exit()).to.equal(0);
    expect(existsSync(socket)).to.equal(false);
  });

  it('does not start if another process uses the address, and exits with a code that allows a restart', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    putOff(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const more of ['', 'processes = 2']) {
      const folder = statusFolder('quick', more, `127.0.0.1:${port}`);
      const { ended, stderr } = await run('concurrent', ['worker.ini'], { folder });
      expect(ended).to.equal(69);
      expect(stderr).to.contain(
        `The status server cannot listen on 127.0.0.1:${port}: the address is in use by another process. Stop that process, or set another address in [http] listen.`,
      );
      expect(stderr).not.to.contain('Connected');
    }
  });

  it('does not start without the token in token_file', async () => {
    const folder = statusFolder('quick');
    writeFileSync(join(folder, 'token'), 'short');
    const short = await run('sequential', ['worker.ini'], { folder });
    expect([short.ended, short.stderr.includes('token_file')]).to.deep.equal([78, true]);
    rmSync(join(folder, 'token'));
    const missing = await run('sequential', ['worker.ini'], { folder });
    expect(missing.ended).to.equal(78);
    expect(missing.stderr).to.contain(`The token_file ${join(folder, 'token')} cannot be read`);
  });

  it('warns when other machines can reach it', async () => {
    const folder = statusFolder('quick', '', '0.0.0.0:0');
    const { container } = await startWithStatus(folder);
    expect(container.stderr).to.match(
      /WARN sequential: The status server on 0\.0\.0\.0:0 is reachable from other machines/,
    );
  });

  it('warns when every user can read its token', async () => {
    const folder = statusFolder('quick');
    const token = join(folder, 'token');
    const warning = `Every user on this machine can read token_file and control the container with it: run chmod 600 ${token}`;
    for (const [mode, isWarned] of [
      [0o644, true],
      [0o640, false],
    ] as const) {
      chmodSync(token, mode);
      const { container } = await startWithStatus(folder);
      expect(container.stderr.includes(`WARN sequential: ${warning}`)).to.equal(isWarned);
      await container.kill();
    }
  });

  it('shows where its queues are before it has requested their counts', async () => {
    const { url } = await startWithStatus(statusFolder('quick', 'processes = 2'), 'concurrent');
    const { body } = await fetch(`${url}events`);
    const { value } = await body!.getReader().read();
    expect(Buffer.from(value!).toString()).to.match(/"broker":"sqlite:/);
  });
});
