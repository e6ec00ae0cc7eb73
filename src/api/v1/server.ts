import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import Router from 'find-my-way';
import { MooringError, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { buildRoutes } from './build-routes.ts';
import { sendJson, type Call } from './call.ts';
import { errorReply } from './error-body.ts';
import { fileRoutes } from './file-routes.ts';
import { imageRoutes } from './image-routes.ts';
import { bootstrapRoutes } from './bootstrap-routes.ts';
import { responseOn } from './hijack.ts';
import { registryRoutes } from './registry-routes.ts';
import { routes, type Route } from './routes.ts';
import type { ApiServices } from './services.ts';
import { systemRoutes } from './system-routes.ts';
import { streamRoutes } from './stream-routes.ts';
import { supplyRoutes } from './supply-routes.ts';
import { listenOnSocket } from './unix-socket.ts';

export interface ApiServer {
  readonly socket: string;
  /** Takes no further request, ends what is followed, and lets short replies finish. May be called again. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1000;

/**
 * Serves the v1 API on a unix socket that only its owner may use. Throws `Conflict` where another daemon answers on it: so the socket is
 * taken before anything else of the run directory is touched, and requests wait until the services are there.
 */
export async function startApiServer(socket: string, logger: Logger, services: Promise<ApiServices>): Promise<ApiServer> {
  const closing = new AbortController();
  const router = Router({ ignoreTrailingSlash: true });
  for (const route of [...routes, ...streamRoutes, ...supplyRoutes, ...imageRoutes, ...buildRoutes, ...registryRoutes, ...bootstrapRoutes, ...systemRoutes, ...fileRoutes]) router.on(route.method, route.path, () => undefined, route);
  const answer = (request: IncomingMessage, response: ServerResponse, sentAlong?: Buffer): void => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mooring');
    const found = router.find(request.method as Route['method'], pathname);
    const signal = AbortSignal.any([closing.signal, goneSignal(response)]);
    const call: Call = { params: found?.params ?? {}, query: searchParams, request, response, signal, closing: closing.signal, ...(sentAlong && { sentAlong }) };
    void handle(found?.store as Route | undefined, call, services, logger);
  };
  const server = createServer(answer);
  server.on('upgrade', (request, connection, sentAlong) => answer(request, responseOn(request, connection as Socket), sentAlong));
  await listenOnSocket(server, socket);
  let closed: Promise<void> | undefined;
  return { socket, close: () => (closed ??= closeServer(server, closing)) };
}

/** Aborted when the client has gone, or the reply is complete. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

async function handle(route: Route | undefined, call: Call, services: Promise<ApiServices>, logger: Logger): Promise<void> {
  try {
    if (route === undefined) throw new MooringError('NotFound', `the API has no ${describe(call.request)}`);
    await route.handle(call, await services);
  } catch (error) {
    const { status, body } = errorReply(error);
    if (status >= 500) logger.error({ err: messageOf(error), request: describe(call.request) }, 'an API request failed');
    // Once a stream has begun, cutting it off is the only way left to say that it is not whole.
    if (call.response.headersSent) call.response.destroy();
    else {
      call.response.setHeader('connection', 'close');
      sendJson(call, body, status);
    }
  }
}

function describe({ method, url }: IncomingMessage): string {
  return `${method} ${url}`;
}

async function closeServer(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const force = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearTimeout(force);
}
