/** What the status server answers: its paths, and what every answer has in common. */
import { gzipSync } from 'node:zlib';
import { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { streamSSE } from 'hono/streaming';
import type { ListenAddress } from '../../config/listen.ts';
import { PROMETHEUS_CONTENT_TYPE } from '../metrics/prometheus.ts';
import { hasToken, isAllowedHost, isAllowedOrigin } from './access.ts';
import { ASSET_PATHS, type Asset, type AssetPath } from './assets.ts';
import { type Listener, StatusEvents } from './events.ts';
import type { Monitor, Watched } from './monitor.ts';
import { statusText } from './text.ts';

export interface AppOptions {
  readonly monitor: Monitor;
  readonly watched: Pick<Watched, 'pause' | 'resume' | 'wake'>;
  readonly listen: ListenAddress;
  /** What steering needs; undefined: there is no steering. */
  readonly token: string | undefined;
  readonly asset: (path: AssetPath) => Asset;
  /** Told what kept a request from its answer. */
  readonly onError: (error: Error) => void;
}

/** No request has a body that anybody reads. */
const MOST_BODY_BYTES = 1_024;

export function statusApp({ monitor, watched, listen, token, asset, onError }: AppOptions): Hono {
  const app = new Hono();
  const events = new StatusEvents(monitor);

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
  app.onError((error, context) => {
    onError(error);
    return context.text('This could not be answered; the log of the container says why.\n', 500);
  });

  for (const path of ASSET_PATHS) {
    app.get(path, (context) => {
      const { type, body } = asset(path);
      const headers = { 'Content-Type': type, Vary: 'Accept-Encoding' };
      if (!/\bgzip\b/.test(context.req.header('Accept-Encoding') ?? ''))
        return context.body(body, 200, headers);
      return context.body(new Uint8Array(gzipSync(body)), 200, { ...headers, 'Content-Encoding': 'gzip' });
    });
  }
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
      watched[action]();
      return context.text('ok\n');
    });
    app.get(`/${action}`, (context) => context.text('Ask for this with POST.\n', 405, { Allow: 'POST' }));
  }

  app.notFound((context) =>
    context.text(
      'There are /, /status, /status.json, /metrics, /healthz, /readyz and /events; POST /pause, /resume and /wake.\n',
      404,
    ),
  );
  return app;
}

function lines(problems: readonly string[]): string {
  return problems.length === 0 ? 'ok\n' : `${problems.join('\n')}\n`;
}
