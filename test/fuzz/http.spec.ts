// Sends arbitrary bytes to the status server: it responds or closes the connection, reveals nothing, and answers the next
// request.
import { expect } from 'chai';
import fc from 'fast-check';
import { closed, ServedContainer, TOKEN } from '../observe/status/served.ts';
import { codePoint } from '../support/code-point.ts';
import { RUNS, TIMEOUT_MS } from './runs.ts';
import { mutated } from './texts.ts';

const method = fc.constantFrom(
  'GET',
  'GET',
  'POST',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'TRACE',
  'CONNECT',
  'PRI',
  'get',
  '',
);
const path = fc.oneof(
  fc.constantFrom(
    '/',
    '/status',
    '/status.json',
    '/metrics',
    '/healthz',
    '/readyz',
    '/pause',
    '/wake',
    '/resume',
  ),
  fc.constantFrom(
    '/page.js',
    '/../../etc/passwd',
    '/%2e%2e/package.json',
    '//evil/',
    'http://evil/status',
    '*',
    '/%',
    '/\0',
  ),
  fc.string({ unit: codePoint }).map((text) => `/${text}`),
);
const value = fc.oneof(
  fc.constantFrom(
    '127.0.0.1',
    'localhost:1',
    'evil.example',
    '0',
    '-1',
    '5',
    '99999999999',
    'chunked',
    'close',
    'keep-alive',
  ),
  fc.constantFrom(
    'Bearer',
    `Bearer ${TOKEN.slice(1)}`,
    'null',
    'http://evil.example',
    'gzip, br',
    '*/*;q=x',
    '100-continue',
    'websocket',
  ),
  fc.string({ unit: codePoint }),
);
const headerName = fc.oneof(
  fc.constantFrom(
    'Host',
    'Origin',
    'Authorization',
    'Content-Length',
    'Transfer-Encoding',
    'Connection',
    'Expect',
  ),
  fc.constantFrom(
    'Upgrade',
    'Accept-Encoding',
    'If-None-Match',
    'Range',
    'Cookie',
    '__proto__',
    'constructor',
  ),
  fc.string({ unit: codePoint, maxLength: 5 }),
);
const request = fc
  .tuple(
    method,
    path,
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', ''),
    fc.array(fc.tuple(headerName, value), { maxLength: 5 }),
  )
  .map(([method, path, version, headers]) =>
    [
      `${method} ${path} ${version}`,
      'Host: 127.0.0.1',
      ...headers.map(([name, text]) => `${name}: ${text}`),
      '',
      '',
    ].join('\r\n'),
  );
const bytes = fc.oneof(
  request,
  mutated(request),
  fc.array(request, { maxLength: 3 }).map((all) => all.join('')),
);

describe('any request to the status server', function () {
  this.timeout(TIMEOUT_MS);
  let served: ServedContainer;

  before(async () => {
    served = await ServedContainer.open();
  });
  after(() => served.close());

  async function answerTo(text: string): Promise<string> {
    const { socket, answer } = served.connect();
    socket.end(text, 'latin1');
    await closed(socket);
    return answer();
  }

  it('gets a response, or closes only its own connection', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(bytes, async (text) => {
        const answer = await answerTo(text);
        if (answer === '') return;
        answered += 1;
        expect(answer).to.match(/^HTTP\/1\.1 (100|200|400|401|403|404|405|408|413|417|431|503) /);
        expect(answer).not.to.match(/node_modules|\.ts:\d|0123456789abcdef/);
      }),
      RUNS,
    );
    expect(answered).to.be.above(RUNS.numRuns / 2);
    expect(served.errors).to.deep.equal([]);
    const { pause, resume, wake } = served.container;
    expect(pause.callCount + resume.callCount + wake.callCount).to.equal(0);
    expect(await answerTo('GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')).to.match(
      /\r\nok\n$/,
    );
  });
});
