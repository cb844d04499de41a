import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Hono } from 'hono';
import type { ListenAddress } from '../../../src/config/listen.ts';
import { MOST_LISTENERS, statusApp } from '../../../src/observe/status/app.ts';
import type { Monitor } from '../../../src/observe/status/monitor.ts';
import type { Status } from '../../../src/observe/status/status.ts';
import { parsePrometheus, valueIn } from '../metrics/parse-prometheus.ts';
import { FakeContainer, monitorOf } from './fake-container.ts';

const HERE = { Host: '127.0.0.1:8125' };
const TOKEN = '0123456789abcdef';
const AUTHORIZED = { ...HERE, Authorization: `Bearer ${TOKEN}` };

describe('the status server', () => {
  let container: FakeContainer;
  let monitor: Monitor;
  let errors: Error[];
  beforeEach(() => {
    container = new FakeContainer();
    monitor = monitorOf(container);
    errors = [];
  });
  afterEach(() => monitor.close());

  function open(
    token: string | undefined = TOKEN,
    listen: ListenAddress = { host: '127.0.0.1', port: 8125 },
  ): Hono {
    const asset = () => ({ type: 'text/html; charset=utf-8', body: '<!doctype html>' });
    return statusApp({
      monitor,
      source: container,
      listen,
      token,
      asset,
      onError: (error) => errors.push(error),
    });
  }

  const get = (path: string, headers: Record<string, string> = HERE) => open().request(path, { headers });
  const post = (path: string, headers: Record<string, string>, app = open()) =>
    app.request(path, { method: 'POST', headers });

  it('shows the status as JSON and as text, with the counts of the queues', async () => {
    const status = (await (await get('/status.json')).json()) as Status;
    expect(status.container).to.include({ program: 'sqs-sequential', state: 'running', slots: 4 });
    expect(status.queues[0]).to.deep.include({
      name: 'work',
      messages: { visible: 0, inFlight: 0, delayed: 0 },
    });
    const text = await (await get('/status')).text();
    expect(text).to.contain('\nqueue work: 0 visible, 0 in flight, 0 delayed;');
  });

  it('serves the page, compressed for clients that support it', async () => {
    const plain = await get('/');
    expect([plain.headers.get('Content-Type'), await plain.text()]).to.deep.equal([
      'text/html; charset=utf-8',
      '<!doctype html>',
    ]);
    const compressed = await get('/', { ...HERE, 'Accept-Encoding': 'gzip, br' });
    expect(compressed.headers.get('Content-Encoding')).to.equal('gzip');
    expect(gunzipSync(await compressed.arrayBuffer()).toString()).to.equal('<!doctype html>');
  });

  it('shows metrics that Prometheus understands', async () => {
    const answer = await get('/metrics');
    expect(answer.headers.get('Content-Type')).to.equal('text/plain; version=0.0.4; charset=utf-8');
    const samples = parsePrometheus(await answer.text());
    expect(valueIn(samples, 'sqs_containers_held_messages', {})).to.equal(2);
    expect(valueIn(samples, 'sqs_containers_queue_messages', { state: 'visible' })).to.equal(0);
  });

  it('shows no secret', async () => {
    container.metrics.failed(
      {
        queue: { name: 'work' },
        message: { id: '1', receiveCount: 1, body: '[[{"password":"abc"}],{}]' },
      },
      new Error('refused: redis://me:abc@host'),
      { action: 'delete' },
      5,
    );
    container.queues = () => Promise.reject(new Error('no connection to postgres://me:abc@host/db'));
    for (const path of ['/status', '/status.json', '/metrics']) {
      expect(await (await get(path)).text(), path).not.to.contain('abc');
    }
    const { countsProblem } = ((await (await get('/status.json')).json()) as Status).container;
    expect(countsProblem).to.equal('no connection to postgres://me:***@host/db');
  });

  it('is healthy while receives return, and reports why if it is not', async () => {
    expect((await get('/healthz')).status).to.equal(200);
    container.state = 'draining';
    expect((await get('/healthz')).status).to.equal(200);
    container.silentSeconds = 81;
    const answer = await get('/healthz');
    expect([answer.status, await answer.text()]).to.deep.equal([
      503,
      'no receive from queue "work" has returned for 81 s\n',
    ]);
  });

  it('is ready from when it is connected until it drains', async () => {
    for (const [state, code] of [
      ['starting', 503],
      ['running', 200],
      ['paused', 200],
      ['draining', 503],
    ] as const) {
      container.state = state;
      expect((await get('/readyz')).status, state).to.equal(code);
    }
  });

  it('accepts actions with the token', async () => {
    for (const action of ['pause', 'resume', 'wake'] as const) {
      expect((await post(`/${action}`, AUTHORIZED)).status).to.equal(200);
      expect(container[action].callCount).to.equal(1);
    }
  });

  it('does not accept actions without the token, with a wrong one, or for GET', async () => {
    const answers = await Promise.all([
      post('/pause', HERE),
      post('/pause', { ...HERE, Authorization: 'Bearer 0123456789abcdeF' }),
      get('/pause', AUTHORIZED),
    ]);
    expect(answers.map(({ status }) => status)).to.deep.equal([401, 401, 405]);
    expect(answers[0]?.headers.get('WWW-Authenticate')).to.equal('Bearer');
    expect(container.pause.callCount).to.equal(0);
  });

  for (const action of ['pause', 'resume', 'wake'] as const) {
    it(`does not ${action} without the token, with a wrong one, for GET or for a stranger`, async () => {
      const answers = await Promise.all([
        post(`/${action}`, HERE),
        post(`/${action}`, { ...HERE, Authorization: 'Bearer 0123456789abcdeF' }),
        post(`/${action}`, { ...HERE, Authorization: 'Bearer ' }),
        get(`/${action}`, AUTHORIZED),
        post(`/${action}`, { ...AUTHORIZED, Host: 'evil.example' }),
        post(`/${action}`, { ...AUTHORIZED, Origin: 'http://evil.example' }),
      ]);
      expect(answers.map(({ status }) => status)).to.deep.equal([401, 401, 401, 405, 403, 403]);
      expect(container[action].callCount).to.equal(0);
    });
  }

  it('does not accept actions without a token_file, and explains what to do', async () => {
    const app = statusApp({
      monitor,
      source: container,
      listen: { path: '/run/status.sock' },
      token: undefined,
      asset: () => ({ type: '', body: '' }),
      onError: () => {},
    });
    for (const action of ['pause', 'resume', 'wake'] as const) {
      const answer = await post(`/${action}`, AUTHORIZED, app);
      expect(answer.status).to.equal(403);
      expect(await answer.text()).to.contain('To allow this, set token_file in section [http]');
      expect(container[action].callCount).to.equal(0);
    }
  });

  it('does not accept actions from the page of another server, even with the token', async () => {
    const foreign = await post('/pause', { ...AUTHORIZED, Origin: 'http://evil.example' });
    expect(foreign.status).to.equal(403);
    expect(container.pause.callCount).to.equal(0);
    expect((await post('/pause', { ...AUTHORIZED, Origin: 'http://127.0.0.1:8125' })).status).to.equal(200);
  });

  it('answers only requests that name this machine', async () => {
    for (const path of ['/', '/status.json', '/events', '/metrics', '/nowhere']) {
      const answer = await get(path, { Host: 'evil.example' });
      expect(answer.status, path).to.equal(403);
      expect(await answer.text()).not.to.contain('work');
    }
    expect((await post('/pause', { ...AUTHORIZED, Host: 'evil.example' })).status).to.equal(403);
  });

  it('prevents other pages from embedding it, running scripts in it, or caching it', async () => {
    for (const path of ['/', '/status.json', '/nowhere']) {
      const { headers } = await get(path);
      const policy = headers.get('Content-Security-Policy') ?? '';
      expect(policy).to.contain("default-src 'none'").and.to.contain("frame-ancestors 'none'");
      expect(policy).not.to.contain('unsafe');
      expect(headers.get('X-Content-Type-Options')).to.equal('nosniff');
      expect(headers.get('Cache-Control')).to.equal('no-store');
    }
  });

  it('refuses request bodies, except tiny ones', async () => {
    for (const headers of [{ 'Content-Length': '2000' }, { 'Transfer-Encoding': 'chunked' }]) {
      expect((await post('/pause', { ...AUTHORIZED, ...headers } as Record<string, string>)).status).to.equal(
        413,
      );
    }
    expect(container.pause.callCount).to.equal(0);
  });

  it('lists its paths in response to an unknown path', async () => {
    const answer = await get('/favicon.ico');
    expect([answer.status, await answer.text()]).to.deep.equal([
      404,
      'Not found. Try /, /status, /status.json, /metrics, /healthz, /readyz or /events; POST /pause, /resume or /wake.\n',
    ]);
  });

  it('reports the error of a failed request only in the log', async () => {
    const failure = new Error('abc');
    monitor.metrics = () => Promise.reject(failure);
    const answer = await get('/metrics');
    expect(answer.status).to.equal(500);
    expect(await answer.text()).not.to.contain('abc');
    expect(errors).to.deep.equal([failure]);
  });

  describe('with events', () => {
    /** The data of the events, as they arrive. */
    async function* listen(app: Hono): AsyncGenerator<string> {
      const { body } = await app.request('/events', { headers: HERE });
      for await (const event of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        yield event.replace(/^data: |\n\n$/g, '');
      }
    }

    it('sends the status immediately, and again a second later', async () => {
      const events = listen(open());
      const startedAt = performance.now();
      const { status, points } = JSON.parse((await events.next()).value ?? '');
      expect(performance.now() - startedAt).to.be.below(500);
      expect(status.queues[0].name).to.equal('work');
      expect(points.at).to.deep.equal([]);
      const second = JSON.parse((await events.next()).value ?? '');
      expect(second.status.queues[0].messages).to.deep.equal({ visible: 0, inFlight: 0, delayed: 0 });
      expect(performance.now() - startedAt).to.be.within(900, 1_900);
      await events.return(undefined);
    });

    it('limits the number of listeners, and accepts others when some have left', async () => {
      const app = open();
      const listeners = Array.from({ length: MOST_LISTENERS }, () => listen(app));
      await Promise.all(listeners.map((events) => events.next()));
      expect((await app.request('/events', { headers: HERE })).status).to.equal(503);
      await Promise.all(listeners.map((events) => events.return(undefined)));
      const again = listen(app);
      expect((await again.next()).value).to.contain('"work"');
      await again.return(undefined);
    });

    it('computes nothing without listeners', async () => {
      const events = listen(open());
      await events.next();
      await events.return(undefined);
      let asked = 0;
      Object.defineProperty(container, 'total', {
        get: () => {
          asked += 1;
          return container.metrics.snapshot(1, []);
        },
      });
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(asked).to.equal(0);
    });
  });
});
