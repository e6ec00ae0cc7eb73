import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { MooringError, messageOf } from '../lib/errors.ts';
import { listenOnTcp } from '../lib/listen-on-tcp.ts';
import type { Logger } from '../lib/logger.ts';
import { bears, readToken } from './bearer-token.ts';
import { isLoopback } from './loopback.ts';
import type { Metrics } from './metrics.ts';

export interface MetricsServerOptions {
  /** A name or an address, IPv6 without brackets. Others than this machine's loopback demand `tokenFile`. */
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Holds the token that a scrape must bear. Read at each scrape, so that it can be replaced. */
  readonly tokenFile?: string;
  readonly metrics: Pick<Metrics, 'render' | 'contentType'>;
  /** Whether every source was read once. */
  readonly ready: () => boolean;
  readonly logger: Logger;
}

export interface MetricsServer {
  readonly port: number;
  /** Ends at once, whoever is connected. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const PLAIN = 'text/plain; charset=utf-8';
const REQUEST_TIMEOUT_MS = 10_000;

/** Serves `/metrics`, `/healthz` and `/readyz` over HTTP. Throws `Invalid` or `Conflict` where it can't listen as asked. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { host, port, tokenFile, logger } = options;
  if (tokenFile !== undefined) await readToken(tokenFile);
  else if (!isLoopback(host))
    throw new MooringError('Invalid', `metrics on ${host} would be open to every machine that reaches it`, {
      fix: 'demand a token with --metrics-token-file FILE, or listen on 127.0.0.1',
    });

  const server = createServer({ headersTimeout: REQUEST_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request, options)
      .catch((error: unknown): Answer => {
        logger.error({ err: error, path: request.url }, 'a request to the metrics server failed');
        return { status: 500, body: `${messageOf(error)}\n` };
      })
      .then((answered) => send(request, response, answered))
      .catch((error: unknown) => logger.error({ err: error }, 'an answer of the metrics server could not be sent'));
  });
  const listensOn = await listenOnTcp(server, { host, port }, 'metrics', '--metrics-addr');
  server.on('error', (error) => logger.error({ err: error }, 'the metrics server failed'));
  return {
    port: listensOn,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

async function answer(request: IncomingMessage, options: MetricsServerOptions): Promise<Answer> {
  const { metrics, ready, tokenFile } = options;
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, body: 'only GET and HEAD are served\n', headers: { Allow: 'GET, HEAD' } };
  const refusal = refuseForeignPages(request, options);
  if (refusal !== undefined) return refusal;
  switch (request.url?.replace(/\?.*$/s, '')) {
    case '/healthz':
      return { status: 200, body: 'ok\n' };
    case '/readyz':
      return ready() ? { status: 200, body: 'ok\n' } : { status: 503, body: 'the sources have not been read yet\n' };
    case '/metrics':
      if (tokenFile !== undefined && !bears(request.headers.authorization, await readToken(tokenFile)))
        return { status: 401, body: 'a bearer token is needed\n', headers: { 'WWW-Authenticate': 'Bearer' } };
      return { status: 200, body: await metrics.render(), headers: { 'Content-Type': metrics.contentType } };
    default:
      return { status: 404, body: 'there are /metrics, /healthz and /readyz\n' };
  }
}

/**
 * A web page elsewhere can make its own name stand for this address and have a browser on this machine ask (DNS rebinding):
 * its requests bear that name. Where a token is demanded, no page has it, and Prometheus may call this machine by any name.
 */
function refuseForeignPages({ headers }: IncomingMessage, { host, tokenFile }: MetricsServerOptions): Answer | undefined {
  const { origin, host: asked = '' } = headers;
  if (origin !== undefined && origin !== `http://${asked}`) return { status: 403, body: 'requests of other origins are not served\n' };
  const name = asked.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (tokenFile !== undefined || name === host.toLowerCase() || name === 'localhost' || isIP(name) !== 0) return undefined;
  return { status: 403, body: `this is not the host "${name}"; ask by address\n` };
}

function send(request: IncomingMessage, response: ServerResponse, { status, body, headers }: Answer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'Content-Type': PLAIN, 'Content-Length': bytes.length, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store', ...headers });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}
