// The status server on a real socket, against malicious and malformed requests.
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { MOST_LISTENERS } from '../../../src/observe/status/app.ts';
import { rejection } from '../../support/rejection.ts';
import type { FakeContainer } from './fake-container.ts';
import { type Connection, closed, ServedContainer, TOKEN } from './served.ts';

describe('the status server, under attack,', () => {
  let served: ServedContainer;
  let container: FakeContainer;

  beforeEach(async () => {
    served = await ServedContainer.open();
    container = served.container;
  });
  afterEach(() => served.close());

  /** A connection to which a text was written. */
  async function send(text: string): Promise<Connection> {
    const connection = served.connect();
    await once(connection.socket, 'connect');
    connection.socket.write(text, 'latin1');
    return connection;
  }

  /** The status codes of all responses to a text, after which the connection is closed. */
  async function codesFor(text: string): Promise<string[]> {
    const { socket, answer } = await send(text);
    socket.end();
    await closed(socket);
    return [...answer().matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, code = '']) => code);
  }

  const request = (line: string, ...headers: string[]) =>
    [`${line} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...headers, '', ''].join('\r\n');

  it('rejects requests that are too large', async () => {
    expect(await codesFor(request(`GET /status?${'a'.repeat(9_000)}`))).to.deep.equal(['431']);
    expect(await codesFor(request('GET /status', `X: ${'a'.repeat(9_000)}`))).to.deep.equal(['431']);
    expect(await codesFor(request('POST /pause', 'Content-Length: 1000000000'))).to.deep.equal(['413']);
    expect(await codesFor(request('POST /pause', 'Transfer-Encoding: chunked'))).to.deep.equal(['413']);
    expect(container.pause.callCount).to.equal(0);
  });

  it('rejects ambiguous headers', async () => {
    const requests = [
      request('GET /status', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
      request('GET /status', 'Content-Length: 5', 'Content-Length: 6'),
      request('GET /status', 'Content-Length: -1'),
      request('GET /status', 'X: a\r b'),
      request('GET /status', 'X : a'),
      'GET /status HTTP/1.1\r\n\r\n',
      'GET /status HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n',
      '\u0016\u0003\u0001\u0000',
    ];
    for (const text of requests) expect(await codesFor(text), JSON.stringify(text)).to.deep.equal(['400']);
  });

  it('answers only one request if another one is smuggled into it or after it', async () => {
    const hidden = request('GET /status?a=%0d%0a%0d%0aPOST /pause');
    expect((await codesFor(hidden)).length).to.equal(1);
    const behind =
      request('POST /nowhere', 'Content-Length: 200') +
      request('POST /pause', `Authorization: Bearer ${TOKEN}`);
    expect((await codesFor(behind)).length).to.equal(1);
    expect(container.pause.callCount).to.equal(0);
  });

  it('copies nothing from a request into the response headers', async () => {
    const { socket, answer } = await send(
      request('GET /%0d%0aSet-Cookie:a=b?x=%0d%0aX-Evil:1', 'Referer: http://evil.example/', 'X-Evil: 1'),
    );
    await closed(socket);
    const [head = ''] = answer().split('\r\n\r\n');
    expect(head).not.to.match(/evil|set-cookie/i);
    expect(
      head
        .split('\r\n')
        .slice(1)
        .every((line) => /^[\w-]+: /.test(line)),
      head,
    ).to.equal(true);
  });

  it('answers no page of another server, whatever it requests', async () => {
    for (const path of ['/', '/status', '/status.json', '/metrics', '/events', '/healthz', '/nowhere']) {
      expect(await codesFor(request(`GET ${path}`, 'Origin: http://evil.example')), path).to.deep.equal([
        '403',
      ]);
    }
    const authorization = `Authorization: Bearer ${TOKEN}`;
    for (const origin of ['null', 'http://evil.example', 'http://127.0.0.1:1']) {
      expect(await codesFor(request('POST /pause', authorization, `Origin: ${origin}`))).to.deep.equal([
        '403',
      ]);
      expect(await codesFor(request('OPTIONS /pause', `Origin: ${origin}`))).to.deep.equal(['403']);
    }
    expect(container.pause.callCount).to.equal(0);
  });

  it('frees the place of an event request that does not need it', async () => {
    for (let time = 0; time <= MOST_LISTENERS; time += 1) {
      expect(await codesFor(request('HEAD /events'))).to.deep.equal(['200']);
    }
    const { answer } = await send(request('GET /events'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answer()).to.match(/^HTTP\/1\.1 200/);
  });

  it('closes connections that are too slow, and answers others in the meantime', async () => {
    const slow = await Promise.all([
      send(''),
      send('GET /sta'),
      send('GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nX: '),
      send('GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    ]);
    const ended = slow.map(({ socket }) => closed(socket));
    const dripping = setInterval(() => slow[2]?.socket.write('a'), 100);
    expect(await codesFor(request('GET /healthz'))).to.deep.equal(['200']);
    await Promise.all(ended);
    clearInterval(dripping);
    expect(slow[1]?.answer()).to.match(/^HTTP\/1\.1 408/);
  }).timeout(20_000);

  it('shows no stack and no file path, whatever goes wrong', async () => {
    container.queues = () => Promise.reject(new Error(`no such file ${served.folder}`));
    Object.defineProperty(container, 'total', {
      get: () => {
        throw new Error(`broken at ${served.folder}`);
      },
    });
    const { socket, answer } = await send(request('GET /status.json'));
    await closed(socket);
    expect(answer())
      .to.match(/^HTTP\/1\.1 500/)
      .and.not.to.contain(served.folder);
    expect(served.errors).to.have.length(1);
    Reflect.deleteProperty(container, 'total');
  });

  describe('on a Unix socket', () => {
    it('is for its owner and group only, whatever the umask', async () => {
      const path = join(served.folder, 'status.sock');
      const umask = process.umask(0);
      const other = await served.openAt(path);
      process.umask(umask);
      expect(statSync(path).mode & 0o777).to.equal(0o660);
      await other.close();
    });

    it('never removes a file that is not a socket', async () => {
      const path = join(served.folder, 'queues.db');
      writeFileSync(path, 'messages');
      const error = await rejection(served.openAt(path));
      expect((error as Error).message).to.contain(path);
      expect(existsSync(path) && readFileSync(path, 'utf8')).to.equal('messages');
    });
  });
});
