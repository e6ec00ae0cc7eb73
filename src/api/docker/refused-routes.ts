import { sendJson } from '../reply.ts';
import { DockerError } from './error-reply.ts';
import type { DockerRoute } from './route.ts';

const SWARM = 'This node is not a swarm manager. Mooring runs the containers of one node and has no swarm mode.';
const PLUGINS = 'Mooring has no plugins: its networks and volumes are built in.';
const BUILDKIT = 'Mooring builds without BuildKit sessions: build with DOCKER_BUILDKIT=0, or with "mooring build".';

/** What of the API Mooring does not have. It says so: nothing here pretends. */
export const refusedRoutes: readonly DockerRoute[] = [
  ...['/swarm', '/swarm/unlockkey', '/nodes', '/nodes/:id', '/services', '/services/:id', '/services/:id/logs', '/tasks', '/tasks/:id', '/tasks/:id/logs', '/secrets', '/secrets/:id', '/configs', '/configs/:id'].map((path) =>
    refused('GET', path, 503, SWARM),
  ),
  ...['/swarm/init', '/swarm/join', '/swarm/leave', '/swarm/update', '/swarm/unlock', '/nodes/:id/update', '/services/create', '/services/:id/update', '/secrets/create', '/secrets/:id/update', '/configs/create', '/configs/:id/update'].map(
    (path) => refused('POST', path, 503, SWARM),
  ),
  ...['/nodes/:id', '/services/:id', '/secrets/:id', '/configs/:id'].map((path) => refused('DELETE', path, 503, SWARM)),
  // There are none, which is the truth, and what "docker inspect" goes on by.
  { method: 'GET', path: '/plugins', handle: (call) => sendJson(call, []) },
  {
    method: 'GET',
    path: '/plugins/:name/json',
    handle: ({ params }) => {
      throw new DockerError(404, `plugin "${params['name']}" not found`);
    },
  },
  refused('GET', '/plugins/privileges', 501, PLUGINS),
  ...['/plugins/pull', '/plugins/create', '/plugins/:name/enable', '/plugins/:name/disable', '/plugins/:name/upgrade', '/plugins/:name/push', '/plugins/:name/set'].map((path) => refused('POST', path, 501, PLUGINS)),
  refused('DELETE', '/plugins/:name', 501, PLUGINS),
  refused('POST', '/session', 501, BUILDKIT),
  refused('POST', '/grpc', 501, BUILDKIT),
  refused('POST', '/containers/:id/checkpoints', 501, 'Mooring makes no checkpoints of containers.'),
  refused('GET', '/containers/:id/checkpoints', 501, 'Mooring makes no checkpoints of containers.'),
];

function refused(method: DockerRoute['method'], path: string, status: number, message: string): DockerRoute {
  return {
    method,
    path,
    handle: () => {
      throw new DockerError(status, message);
    },
  };
}
