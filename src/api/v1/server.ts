import type { IncomingMessage } from 'node:http';
import Router from 'find-my-way';
import { MooringError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { type Face, type SocketServer, startSocketServer } from '../socket-server.ts';
import { logFailure, sendRefusal } from '../reply.ts';
import { buildRoutes } from './build-routes.ts';
import type { Call } from './call.ts';
import { configRoutes } from './config-routes.ts';
import { errorReply } from './error-body.ts';
import { driftRoutes } from './drift-routes.ts';
import { fileRoutes } from './file-routes.ts';
import { imageRoutes } from './image-routes.ts';
import { bootstrapRoutes } from './bootstrap-routes.ts';
import { registryRoutes } from './registry-routes.ts';
import { routes, type Route } from './routes.ts';
import type { ApiServices } from './services.ts';
import { systemRoutes } from './system-routes.ts';
import { streamRoutes } from './stream-routes.ts';
import { supplyRoutes } from './supply-routes.ts';
import { tokenRoutes } from './token-routes.ts';

export type ApiServer = SocketServer;

const PREFIX = '/v1/';
/** Of one piece of a path: a name of Kubernetes has up to 253 characters. */
const MAX_PIECE = 512;

/**
 * Serves the v1 API on a unix socket that only its owner may use, and `beside` what is not below /v1/. Throws `Conflict` where another daemon answers on it:
 * so the socket is taken before anything else of the run directory is touched, and requests wait until the services are there.
 */
export function startApiServer(socket: string, logger: Logger, services: Promise<ApiServices>, beside?: Face): Promise<ApiServer> {
  const own = v1Face(logger, services);
  const faceOf = ({ url }: IncomingMessage): Face => (beside === undefined || url?.startsWith(PREFIX) === true ? own : beside);
  return startSocketServer(socket, {}, { upgrades: (request) => faceOf(request).upgrades(request), answer: (exchange) => faceOf(exchange.request).answer(exchange) });
}

function v1Face(logger: Logger, services: Promise<ApiServices>): Face {
  const router = Router({ ignoreTrailingSlash: true, maxParamLength: MAX_PIECE });
  for (const route of [...routes, ...streamRoutes, ...supplyRoutes, ...configRoutes, ...imageRoutes, ...buildRoutes, ...registryRoutes, ...bootstrapRoutes, ...systemRoutes, ...fileRoutes, ...driftRoutes, ...tokenRoutes]) router.on(route.method, route.path, () => undefined, route);
  return {
    upgrades: () => true,
    answer: (exchange) => {
      const { pathname, searchParams } = new URL(exchange.request.url ?? '/', 'http://mooring');
      const found = router.find(exchange.request.method as Route['method'], pathname);
      void handle(found?.store as Route | undefined, { ...exchange, params: found?.params ?? {}, query: searchParams }, services, logger);
    },
  };
}

async function handle(route: Route | undefined, call: Call, services: Promise<ApiServices>, logger: Logger): Promise<void> {
  try {
    if (route === undefined) throw new MooringError('NotFound', `the API has no ${describe(call.request)}`);
    await route.handle(call, await services);
  } catch (error) {
    const { status, body } = errorReply(error);
    if (status >= 500) logFailure(logger, call, error);
    // Once a stream has begun, cutting it off is the only way left to say that it is not whole.
    if (call.response.headersSent) call.response.destroy();
    else sendRefusal(call, body, status);
  }
}

function describe({ method, url }: IncomingMessage): string {
  return `${method} ${url}`;
}
