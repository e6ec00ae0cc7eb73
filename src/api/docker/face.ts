import type { IncomingMessage } from 'node:http';
import Router from 'find-my-way';
import type { Logger } from '../../lib/logger.ts';
import { VERSION } from '../../lib/version.ts';
import type { Exchange, Face } from '../socket-server.ts';
import type { ApiServices } from '../v1/services.ts';
import { logFailure, sendRefusal } from '../reply.ts';
import type { DockerCall } from './call.ts';
import { tellOfContainers } from './container-events.ts';
import { collectDetached } from './detached-network.ts';
import { DockerEvents } from './docker-events.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError, errorReply } from './error-reply.ts';
import { Query } from './query.ts';
import type { DockerRoute } from './route.ts';
import { dockerRoutes } from './routes.ts';
import { granted } from './token-access.ts';
import { NEWEST_VERSION, splitVersion, versionText } from './version.ts';

/** What every reply says of the engine; clients agree on a version by it. */
const HEADERS = { 'Api-Version': versionText(NEWEST_VERSION), 'Docker-Experimental': 'false', Ostype: 'linux', Server: `Mooring/${VERSION} (linux)` } as const;

/** Protocols that a request of this API goes over to: the streams of attach and exec, and attach's WebSocket. */
const PROTOCOLS: ReadonlySet<string | undefined> = new Set(['tcp', 'websocket']);
const STREAMS = /\/(attach|attach\/ws|exec\/[^/]+\/start)$/;

/** An image's name has slashes, and is one parameter here. */
const NAMED = /^(?<before>\/(?:images|distribution)\/)(?<name>.+?)(?<after>\/(?:json|history|push|tag|get))?$/;
const MAX_PIECE = 4096;

/** Answers the Docker Engine API. Requests wait until the services are there. */
export function dockerFace(logger: Logger, services: Promise<ApiServices>, routes: readonly DockerRoute[] = dockerRoutes): Face {
  const router = Router({ ignoreTrailingSlash: true, maxParamLength: MAX_PIECE });
  for (const route of routes) router.on(route.method, route.path, () => undefined, route);

  const told = new DockerEvents();
  const ready = services.then((all): DockerServices => watched({ ...all, told }));
  ready.catch(() => {}); // told to every request

  const answer = async (exchange: Exchange): Promise<void> => {
    const { request, response, sentAlong, ...signals } = exchange;
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    if (sentAlong !== undefined && sentAlong.length > 0) response.socket?.unshift(sentAlong);
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://mooring');
      const { version, path } = splitVersion(pathname);
      const found = router.find(request.method as DockerRoute['method'], withOneName(path));
      if (found === null) throw new DockerError(404, 'page not found');
      const call: DockerCall = { ...signals, request, response, version, params: found.params, query: new Query(searchParams), isUpgraded: sentAlong !== undefined };
      const route = found.store as DockerRoute;
      const all = await ready;
      await route.handle(call.grant === undefined ? call : granted(call, call.grant, route, all), all);
    } catch (error) {
      refuse(exchange, error);
    }
  };

  const refuse = (exchange: Exchange, error: unknown): void => {
    const { request, response } = exchange;
    const { status, body } = errorReply(error);
    if (status >= 500 && !(error instanceof DockerError)) logFailure(logger, exchange, error);
    // Once a stream has begun, cutting it off is the only way left to say that it is not whole.
    if (response.headersSent || response.socket === null) return void response.destroy();
    sendRefusal({ request, response }, body, status);
  };

  return { upgrades: isStream, answer: (exchange) => void answer(exchange) };
}

/** From now on the lives of the containers are told, and what the API made for one goes with it. */
function watched(services: DockerServices): DockerServices {
  tellOfContainers(services);
  collectDetached(services);
  return services;
}

function isStream({ url = '', headers }: IncomingMessage): boolean {
  return PROTOCOLS.has(headers.upgrade?.toLowerCase()) && STREAMS.test(url.split('?')[0] ?? '');
}

function withOneName(path: string): string {
  const { before = '', name = '', after = '' } = NAMED.exec(path)?.groups ?? {};
  return name.includes('/') ? `${before}${encodeURIComponent(name)}${after}` : path;
}
