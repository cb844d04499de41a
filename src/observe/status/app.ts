/**
 * What the status server answers: what is refused, the files of the page, the status in its forms, events, and what steers
 * the container.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { streamSSE } from 'hono/streaming';
import type { ListenAddress } from '../../config/listen.ts';
import { packageFolder } from '../../host/package.ts';
import { PROMETHEUS_CONTENT_TYPE } from '../metrics/prometheus.ts';
import { hasToken, isAllowedHost, isAllowedOrigin } from './access.ts';
import { type Columns, STEP_MS } from './history.ts';
import type { Monitor, StatusSource } from './monitor.ts';
import { type Status, statusText } from './status.ts';

export interface AppOptions {
  readonly monitor: Monitor;
  readonly source: Pick<StatusSource, 'pause' | 'resume' | 'wake'>;
  readonly listen: ListenAddress;
  /** What steering needs; undefined: there is no steering. */
  readonly token: string | undefined;
  readonly asset: (path: AssetPath) => Asset;
  /** Told what kept a request from its answer. */
  readonly onError: (error: Error) => void;
}

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

/** The paths under which the files of the page are served. */
const FILES = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
} as const;

export type AssetPath = keyof typeof FILES;

/** The data of an event. */
export interface StatusEvent {
  readonly status: Status;
  /** The last ones: some may have come before. */
  readonly points: Columns;
}

/** No request has a body that anybody reads. */
const MOST_BODY_BYTES = 1_024;
/** More people than this do not look at one container. */
export const MOST_LISTENERS = 20;
const EVENT_MS = 1_000;
/** For who missed an event or two. */
const NEW_POINTS_MS = 3 * STEP_MS;

/** The application, without a server: requests in, responses out. */
export function statusApp({ monitor, source, listen, token, asset, onError }: AppOptions): Hono {
  const app = new Hono();
  refuseOthers(app, listen);
  app.onError((error, context) => {
    onError(error);
    return context.text('This could not be answered; the log of the container says why.\n', 500);
  });
  serveAssets(app, asset);
  serveStatus(app, monitor);
  serveEvents(app, new StatusEvents(monitor));
  serveSteering(app, source, token);
  app.notFound((context) =>
    context.text(
      'There are /, /status, /status.json, /metrics, /healthz, /readyz and /events; POST /pause, /resume and /wake.\n',
      404,
    ),
  );
  return app;
}

/** Reads a file of the page, as the build has made it. Throws if the package was not built. */
export function readAsset(path: AssetPath): Asset {
  const { file, type } = FILES[path];
  return { type, body: readFileSync(join(packageFolder(), 'dist/page', file), 'utf8') };
}

/** What every answer has in common, and which requests get no other: those from elsewhere, and those with a body. */
function refuseOthers(app: Hono, listen: ListenAddress): void {
  app.use(
    secureHeaders({
      // Nothing inline, and nothing from elsewhere.
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      // It would concern the other servers of this machine, too.
      strictTransportSecurity: false,
    }),
  );
  app.use(async (context, next) => {
    context.header('Cache-Control', 'no-store');
    const { req } = context;
    const host = req.header('Host');
    if (!isAllowedHost(host, req.path, listen)) {
      return context.text(
        `This server answers only requests that name this machine, such as http://127.0.0.1/, and not "${host ?? ''}".\n`,
        403,
      );
    }
    if (isAllowedOrigin(req.header('Origin'), host)) return next();
    return context.text('This server answers no page of another server.\n', 403);
  });
  app.use(async ({ req, text }, next) => {
    const bytes = Number(req.header('Content-Length') ?? 0);
    if (bytes <= MOST_BODY_BYTES && req.header('Transfer-Encoding') === undefined) return next();
    return text('No request here needs a body.\n', 413);
  });
}

function serveAssets(app: Hono, asset: AppOptions['asset']): void {
  for (const path of Object.keys(FILES) as AssetPath[]) {
    app.get(path, (context) => {
      const { type, body } = asset(path);
      const headers = { 'Content-Type': type, Vary: 'Accept-Encoding' };
      if (!/\bgzip\b/.test(context.req.header('Accept-Encoding') ?? ''))
        return context.body(body, 200, headers);
      return context.body(new Uint8Array(gzipSync(body)), 200, { ...headers, 'Content-Encoding': 'gzip' });
    });
  }
}

function serveStatus(app: Hono, monitor: Monitor): void {
  app.get('/status', async (context) => context.text(statusText(await monitor.look())));
  app.get('/status.json', async (context) => context.json(await monitor.look()));
  app.get('/metrics', async (context) =>
    context.body(await monitor.metrics(), 200, { 'Content-Type': PROMETHEUS_CONTENT_TYPE }),
  );
  app.get('/healthz', (context) => {
    const problems = monitor.healthProblems;
    return context.text(lines(problems), problems.length > 0 ? 503 : 200);
  });
  app.get('/readyz', (context) => {
    const problems = monitor.readinessProblems;
    return context.text(lines(problems), problems.length > 0 ? 503 : 200);
  });
}

function serveEvents(app: Hono, events: StatusEvents): void {
  app.get('/events', (context) => {
    // Nobody would end its stream.
    if (context.req.method === 'HEAD') return context.body(null);
    if (events.isFull) return context.text('Too many look at this container already.\n', 503);
    return streamSSE(context, async (stream) => {
      const ended = Promise.withResolvers<void>();
      stream.onAbort(() => ended.resolve());
      // Whoever reads more slowly than once a second misses some.
      let isWriting = false;
      const listener: Listener = (data) => {
        if (isWriting) return;
        isWriting = true;
        void stream.writeSSE({ data }).finally(() => {
          isWriting = false;
        });
      };
      events.listen(listener);
      await ended.promise;
      events.leave(listener);
    });
  });
}

function serveSteering(app: Hono, source: AppOptions['source'], token: string | undefined): void {
  for (const action of ['pause', 'resume', 'wake'] as const) {
    app.post(`/${action}`, (context) => {
      const { req } = context;
      if (token === undefined) {
        return context.text(
          `Set token_file in the section [http] of the ini file to allow this: a file with a token of 16 characters or more, to be sent as "Authorization: Bearer TOKEN".\n`,
          403,
        );
      }
      if (!hasToken(req.header('Authorization'), token)) {
        return context.text('Send the token of token_file as "Authorization: Bearer TOKEN".\n', 401, {
          'WWW-Authenticate': 'Bearer',
        });
      }
      source[action]();
      return context.text('ok\n');
    });
    app.get(`/${action}`, (context) => context.text('Ask for this with POST.\n', 405, { Allow: 'POST' }));
  }
}

function lines(problems: readonly string[]): string {
  return problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`;
}

/** Takes the data of an event. */
type Listener = (data: string) => void;

/**
 * Server-sent events for those who have the page open: the points of the last hour at first, then the status and new
 * points once a second. It is computed once for all, and not at all while nobody listens.
 */
class StatusEvents {
  readonly #monitor: Monitor;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  /** True if no more may listen. */
  get isFull(): boolean {
    return this.#listeners.size >= MOST_LISTENERS;
  }

  /** The listener gets the first event at once. */
  listen(listener: Listener): void {
    this.#timer ??= setInterval(() => this.#tell(), EVENT_MS);
    this.#listeners.add(listener);
    listener(this.#dataSince(0));
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tell(): void {
    const data = this.#dataSince(Date.now() - NEW_POINTS_MS);
    for (const listener of this.#listeners) listener(data);
  }

  #dataSince(at: number): string {
    const event: StatusEvent = { status: this.#monitor.status, points: this.#monitor.pointsSince(at) };
    return JSON.stringify(event);
  }
}
