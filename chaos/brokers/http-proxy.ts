/**
 * A proxy in front of a server that speaks SQS's JSON protocol, which simulates failures of networks and services. Each
 * enabled fault hits a share of the requests.
 */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sleep } from '../../harness/clock.ts';
import { between, type Random } from '../../harness/random.ts';

/**
 * - `500`: a server error; half of these requests are carried out anyway
 * - `throttling`: refused with SQS's error code
 * - `reset`: the connection is reset; half of these requests are carried out anyway
 * - `cut`: carried out, but the response is cut off halfway
 * - `delay`: carried out, but the response is up to three seconds late
 * - `partial failure`: some entries of a batch fail; half of these are carried out anyway
 * - `blackhole`: no action and no response, until the fault is disabled and the connection is reset
 */
export const HTTP_FAULTS = [
  '500',
  'throttling',
  'reset',
  'cut',
  'delay',
  'partial failure',
  'blackhole',
] as const;
export type HttpFault = (typeof HTTP_FAULTS)[number];

export interface HttpProxy {
  readonly url: string;
  /** Makes a fault hit this share of the requests from now on, from 0 to 1; 0 disables it. */
  set(fault: HttpFault, share: number): void;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

const LONGEST_DELAY_MS = 3_000;

/** Starts a proxy on a free local port, in front of the server at `target`. */
export async function startHttpProxy(target: string, random: Random): Promise<HttpProxy> {
  const shares = new Map<HttpFault, number>();
  const swallowed = new Set<IncomingMessage>();
  const agent = new Agent({ keepAlive: true });

  const server = createServer((incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => incoming.destroy());
  });
  server.keepAliveTimeout = 60_000;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await readBody(incoming);
    const fault = [...shares].find(([, share]) => random() < share)?.[0];
    const forward = (changed = body) => pass(target, agent, incoming, changed);
    switch (fault) {
      case undefined:
        return answer(outgoing, await forward());
      case '500':
        if (random() < 0.5) await forward();
        return answer(outgoing, refusal(500, 'InternalFailure', 'Injected by the chaos proxy.'));
      case 'throttling':
        return answer(outgoing, refusal(400, 'RequestThrottled', 'Injected by the chaos proxy.'));
      case 'reset':
        if (random() < 0.5) await forward();
        incoming.socket.resetAndDestroy();
        return;
      case 'cut': {
        const { status, type, body } = await forward();
        outgoing.writeHead(status, { 'content-type': type, 'content-length': body.length });
        outgoing.write(body.subarray(0, body.length / 2), () => incoming.socket.destroy());
        return;
      }
      case 'delay': {
        const done = await forward();
        await sleep(between(0, LONGEST_DELAY_MS, random));
        return answer(outgoing, done);
      }
      case 'partial failure':
        return answer(outgoing, await failSome(body, random, forward));
      case 'blackhole':
        swallowed.add(incoming);
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    set(fault, share) {
      if (share > 0) shares.set(fault, share);
      else shares.delete(fault);
      if (fault !== 'blackhole' || share > 0) return;
      for (const incoming of swallowed) incoming.socket.resetAndDestroy();
      swallowed.clear();
    },
    async close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

/** Fails one entry in three: half of these are carried out but reported as failed; half are never sent. */
async function failSome(
  body: Buffer,
  random: Random,
  forward: (changed?: Buffer) => Promise<Answer>,
): Promise<Answer> {
  const input = JSON.parse(body.toString()) as { Entries?: readonly { Id: string }[] };
  if (!input.Entries) return forward();
  const failed = new Map(
    input.Entries.filter(() => random() < 1 / 3).map(({ Id }) => [
      Id,
      random() < 0.5 ? 'done' : 'never sent',
    ]),
  );
  const Entries = input.Entries.filter(({ Id }) => failed.get(Id) !== 'never sent');
  const failures = [...failed.keys()].map((Id) => ({
    Id,
    SenderFault: false,
    Code: 'InternalError',
    Message: 'Injected by the chaos proxy.',
  }));
  if (Entries.length === 0) return json(200, { Successful: [], Failed: failures });
  const answer = await forward(Buffer.from(JSON.stringify({ ...input, Entries })));
  if (answer.status !== 200) return answer;
  const result = JSON.parse(answer.body.toString()) as {
    Successful?: readonly { Id: string }[];
    Failed?: readonly { Id: string }[];
  };
  return json(200, {
    ...result,
    Successful: (result.Successful ?? []).filter(({ Id }) => !failed.has(Id)),
    Failed: [...(result.Failed ?? []).filter(({ Id }) => !failed.has(Id)), ...failures],
  });
}

async function pass(target: string, agent: Agent, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  const { 'content-length': _, connection: __, ...headers } = incoming.headers;
  const outgoing = request(new URL(incoming.url ?? '/', target), {
    method: incoming.method,
    agent,
    headers: { ...headers, 'content-length': body.length },
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return {
    status: answer.statusCode ?? 502,
    type: answer.headers['content-type'] ?? '',
    body: await readBody(answer),
  };
}

function answer(outgoing: ServerResponse, { status, type, body }: Answer): void {
  outgoing.writeHead(status, { 'content-type': type, 'content-length': body.length }).end(body);
}

function refusal(status: number, code: string, message: string): Answer {
  return json(status, { __type: `com.amazonaws.sqs#${code}`, message });
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/x-amz-json-1.0', body: Buffer.from(JSON.stringify(value)) };
}

async function readBody(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
