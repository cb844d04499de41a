/**
 * The status server's routes: request checks, the files of the page, the status in several formats, events, and actions
 * that control the container.
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
  /** The token for actions; undefined: no actions are allowed. */
  readonly token: string | undefined;
  readonly asset: (path: AssetPath) => Asset;
  /** Called with the error if a request cannot be answered. */
  readonly onError: (error: Error) => void;
}

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: string;
}

/** The files of the page, by path. */
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
  /** The last points; some may have been sent before. */
  readonly points: Columns;
}

/** Request bodies are never read. */
const MOST_BODY_BYTES = 1_024;
/** The most pages that can listen to events at the same time. */
export const MOST_LISTENERS = 20;
const EVENT_MS = 1_000;
/** Covers pages that missed an event or two. */
const NEW_POINTS_MS = 3 * STEP_MS;

/** The application, without a server: requests in, responses out. */
export function statusApp({ monitor, source, listen, token, asset, onError }: AppOptions): Hono {
  const app = new Hono();
  refuseOthers(app, listen);
  app.onError((error, context) => {
    onError(error);
    return context.text('This request failed; see the log of the container.\n', 500);
  });
  serveAssets(app, asset);
  serveStatus(app, monitor);
  serveEvents(app, new StatusEvents(monitor));
  serveActions(app, source, token);
  app.notFound((context) =>
    context.text(
      'Not found. Try /, /status, /status.json, /metrics, /healthz, /readyz or /events; POST /pause, /resume or /wake.\n',
      404,
    ),
  );
  return app;
}

/** Reads a file of the page from the build. Throws if the package was not built. */
export function readAsset(path: AssetPath): Asset {
  const { file, type } = FILES[path];
  return { type, body: readFileSync(join(packageFolder(), 'dist/page', file), 'utf8') };
}

/** Sets the headers of every response, and refuses requests from elsewhere and requests with a body. */
function refuseOthers(app: Hono, listen: ListenAddress): void {
  app.use(
    secureHeaders({
      // No inline code, and nothing from other servers.
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
      // It would also affect the other servers on this machine.
      strictTransportSecurity: false,
    }),
  );
  app.use(async (context, next) => {
    context.header('Cache-Control', 'no-store');
    const { req } = context;
    const host = req.header('Host');
    if (!isAllowedHost(host, req.path, listen)) {
      return context.text(
        `This server answers only requests to a name or address of this machine, such as http://127.0.0.1/, not to "${host ?? ''}".\n`,
        403,
      );
    }
    if (isAllowedOrigin(req.header('Origin'), host)) return next();
    return context.text('This server does not answer requests from pages of other servers.\n', 403);
  });
  app.use(async ({ req, text }, next) => {
    const bytes = Number(req.header('Content-Length') ?? 0);
    if (bytes <= MOST_BODY_BYTES && req.header('Transfer-Encoding') === undefined) return next();
    return text('Requests to this server must not have a body.\n', 413);
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
    // A stream in response to HEAD would never end.
    if (context.req.method === 'HEAD') return context.body(null);
    if (events.isFull) return context.text('Too many pages are listening to this container.\n', 503);
    return streamSSE(context, async (stream) => {
      const ended = Promise.withResolvers<void>();
      stream.onAbort(() => ended.resolve());
      // A client that reads more slowly than one event per second misses some.
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

function serveActions(app: Hono, source: AppOptions['source'], token: string | undefined): void {
  for (const action of ['pause', 'resume', 'wake'] as const) {
    app.post(`/${action}`, (context) => {
      const { req } = context;
      if (token === undefined) {
        return context.text(
          `To allow this, set token_file in section [http] of the ini file: a file with a token of at least 16 characters. Send the token as "Authorization: Bearer TOKEN".\n`,
          403,
        );
      }
      if (!hasToken(req.header('Authorization'), token)) {
        return context.text('Send the token from token_file as "Authorization: Bearer TOKEN".\n', 401, {
          'WWW-Authenticate': 'Bearer',
        });
      }
      source[action]();
      return context.text('ok\n');
    });
    app.get(`/${action}`, (context) => context.text('Use POST.\n', 405, { Allow: 'POST' }));
  }
}

function lines(problems: readonly string[]): string {
  return problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`;
}

/** Receives the data of an event. */
type Listener = (data: string) => void;

/**
 * Server-sent events for open pages: first the points of the last hour, then the status and new points every second. The
 * data is computed once for all listeners, and not at all without listeners.
 */
class StatusEvents {
  readonly #monitor: Monitor;
  readonly #listeners = new Set<Listener>();
  #timer: NodeJS.Timeout | undefined;

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  /** True if no more listeners are accepted. */
  get isFull(): boolean {
    return this.#listeners.size >= MOST_LISTENERS;
  }

  /** Adds a listener, which gets the first event immediately. */
  listen(listener: Listener): void {
    this.#timer ??= setInterval(() => this.#send(), EVENT_MS);
    this.#listeners.add(listener);
    listener(this.#dataSince(0));
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #send(): void {
    const data = this.#dataSince(Date.now() - NEW_POINTS_MS);
    for (const listener of this.#listeners) listener(data);
  }

  #dataSince(at: number): string {
    const event: StatusEvent = { status: this.#monitor.status, points: this.#monitor.pointsSince(at) };
    return JSON.stringify(event);
  }
}
