import { sendJson } from '../reply.ts';
import type { DockerCall } from './call.ts';
import { infoObject, versionObject } from './info.ts';
import type { DockerRoute } from './route.ts';

export const systemRoutes: readonly DockerRoute[] = [
  { method: 'GET', path: '/_ping', handle: ping },
  { method: 'HEAD', path: '/_ping', handle: ping },
  { method: 'GET', path: '/version', handle: (call, services) => sendJson(call, versionObject(services)) },
  { method: 'GET', path: '/info', handle: async (call, services) => sendJson(call, await infoObject(services)) },
];

/** The builder is the classic one: "2" would have clients ask for BuildKit. */
function ping({ request, response }: DockerCall): void {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'builder-version': '1', 'cache-control': 'no-cache, no-store, must-revalidate', pragma: 'no-cache', 'content-length': request.method === 'HEAD' ? 0 : 2 });
  response.end(request.method === 'HEAD' ? undefined : 'OK');
}
