/**
 * An SQS stub for benchmarks and for specs of failures: a small HTTP server that speaks SQS's AWS JSON 1.0 protocol, counts
 * the calls, and injects faults on request. Does not check signatures.
 *
 * As a separate process, `node --import=tsx test/support/sqs-stub.ts --port 0 --latency 20 --preload 1000 --queue jobs`
 * prints `{"url":"http://127.0.0.1:PORT"}`; `GET /stats` returns the calls by action and the counts by queue.
 */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { carryOut, type FailingEntries, type Input, Refusal } from './sqs-stub-actions.ts';
import { StubQueue } from './sqs-stub-queue.ts';

/** A fault of a request. */
export type Fault =
  /** A service error, such as 400 `QueueDoesNotExist`. */
  | {
      readonly status: number;
      readonly code: string;
      readonly message?: string;
      readonly delayMs?: number;
      /** The time on the server's clock. */
      readonly date?: Date;
    }
  | FailingEntries
  /** The response omits the entries with these ids. */
  | { readonly forgotten: readonly string[] }
  /** The request is carried out, and the connection is reset in the middle of the response. */
  | { readonly reset: true }
  /** The request is carried out, and the response stops in the middle. */
  | { readonly stalled: true }
  /** The request is accepted and never answered. */
  | { readonly silent: true }
  /** The response takes this many milliseconds longer. */
  | { readonly delayMs: number };

export interface StubOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** How long each call takes; half of it before the request is carried out. Default 0. */
  readonly latencyMs?: number;
  /** The queues to create. Default: `jobs`. */
  readonly queues?: readonly string[];
  /** Whether to record each request in `requests`. Default true. */
  readonly keepRequests?: boolean;
}

export interface StubRequest {
  readonly action: string;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Stub {
  readonly url: string;
  /** How many requests were received, by action. */
  readonly calls: Record<string, number>;
  readonly requests: StubRequest[];
  /** A queue; creates it if it does not exist. */
  queue(name: string): StubQueue;
  removeQueue(name: string): void;
  /** Injects this fault into the next `times` (default 1) requests of an action; faults of an action queue up. */
  fault(action: string, fault: Fault, times?: number): void;
  stop(): Promise<void>;
}

export async function startStub(options: StubOptions = {}): Promise<Stub> {
  const { latencyMs = 0, keepRequests = true } = options;
  const queues = new Map((options.queues ?? ['jobs']).map((name) => [name, new StubQueue(name)]));
  const faults = new Map<string, { fault: Fault; times: number }[]>();
  const calls: Record<string, number> = {};
  const requests: StubRequest[] = [];

  function takeFault(action: string): Partial<Fault> {
    const first = faults.get(action)?.[0];
    if (!first) return {};
    first.times -= 1;
    if (first.times === 0) faults.get(action)?.shift();
    return first.fault;
  }

  function serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '');
    const { method = '', url: path = '', headers } = request;
    calls[action] = (calls[action] ?? 0) + 1;
    if (keepRequests) requests.push({ action, method, path, headers, body });
    const fault = takeFault(action);
    if ('silent' in fault) return;

    const latency = latencyMs + ('delayMs' in fault ? (fault.delayMs ?? 0) : 0);
    const due = performance.now() + latency;
    const answerAfterLatency = (status: number, answer: object) => {
      const left = due - performance.now();
      after(left > 0 ? left : latency / 2, () => {
        if ('reset' in fault) begin(response, answer, () => response.destroy());
        else if ('stalled' in fault) begin(response, answer);
        else send(response, status, 'forgotten' in fault ? without(answer, fault.forgotten ?? []) : answer);
      });
    };
    after(latency / 2, () => {
      try {
        if ('date' in fault && fault.date) response.setHeader('date', fault.date.toUTCString());
        if ('status' in fault) throw new Refusal(fault.status ?? 500, fault.code ?? '', fault.message);
        const failing = 'entries' in fault ? (fault as FailingEntries) : undefined;
        const input = JSON.parse(body) as Input;
        const callOff = carryOut(queues, action, input, failing, (answer) => answerAfterLatency(200, answer));
        response.once('close', callOff);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        answerAfterLatency(error.status, { __type: error.code, message: error.message });
      }
    });
  }

  function statistics(): object {
    const counts = [...queues.values()].map((queue) => [queue.name, queue.counts]);
    return { calls, queues: Object.fromEntries(counts) };
  }

  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.method === 'GET') send(response, 200, statistics());
      else serve(request, response, body);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    requests,
    queue(name) {
      const queue = queues.get(name) ?? new StubQueue(name);
      queues.set(name, queue);
      return queue;
    },
    removeQueue(name) {
      queues.get(name)?.stop();
      queues.delete(name);
    },
    fault(action, fault, times = 1) {
      faults.set(action, [...(faults.get(action) ?? []), { fault, times }]);
    },
    async stop() {
      for (const queue of queues.values()) queue.stop();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function after(milliseconds: number, step: () => void): void {
  if (milliseconds > 0) setTimeout(step, milliseconds);
  else step();
}

function send(response: ServerResponse, status: number, answer: object): void {
  const text = JSON.stringify(answer);
  response.writeHead(status, head(text)).end(text);
}

/** Sends the first half of a response. */
function begin(response: ServerResponse, answer: object, then?: () => void): void {
  const text = JSON.stringify(answer);
  response.writeHead(200, head(text)).write(text.slice(0, text.length / 2), then);
}

function head(text: string): Record<string, string | number> {
  return { 'content-type': 'application/x-amz-json-1.0', 'content-length': Buffer.byteLength(text) };
}

/** The response to a batch, without some entries. */
function without(answer: object, ids: readonly string[]): object {
  const entries = Object.entries(answer as Record<string, readonly { readonly Id: string }[]>);
  return Object.fromEntries(entries.map(([key, list]) => [key, list.filter(({ Id }) => !ids.includes(Id))]));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      latency: { type: 'string', default: '0' },
      preload: { type: 'string', default: '0' },
      queue: { type: 'string', default: 'jobs' },
      // Preload calls of this task instead of plain calls.
      task: { type: 'string' },
    },
  });
  const stub = await startStub({
    port: Number(values.port),
    latencyMs: Number(values.latency),
    queues: [values.queue],
    keepRequests: false,
  });
  const count = Number(values.preload);
  if (values.task === undefined) stub.queue(values.queue).preload(count);
  else stub.queue(values.queue).preloadTask(count, values.task);
  console.log(JSON.stringify({ url: stub.url }));
}
