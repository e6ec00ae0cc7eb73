import assert from 'node:assert/strict';
import { test } from 'node:test';
import Router from 'find-my-way';
import { dockerRoutes } from '../../../../src/api/docker/routes.ts';

/** Every operation of version 1.41 of the API, as its description lists them. */
const DOCUMENTED: Readonly<Record<string, readonly string[]>> = {
  GET: [
    '/containers/json', '/containers/{id}/json', '/containers/{id}/top', '/containers/{id}/logs', '/containers/{id}/changes', '/containers/{id}/export', '/containers/{id}/stats',
    '/containers/{id}/attach/ws', '/containers/{id}/archive', '/images/json', '/images/{name}/json', '/images/{name}/history', '/images/search', '/info', '/version', '/_ping',
    '/events', '/system/df', '/images/{name}/get', '/images/get', '/exec/{id}/json', '/volumes', '/volumes/{name}', '/networks', '/networks/{id}', '/plugins',
    '/plugins/privileges', '/plugins/{name}/json', '/nodes', '/nodes/{id}', '/swarm', '/swarm/unlockkey', '/services', '/services/{id}', '/services/{id}/logs', '/tasks',
    '/tasks/{id}', '/tasks/{id}/logs', '/secrets', '/secrets/{id}', '/configs', '/configs/{id}', '/distribution/{name}/json',
  ],
  POST: [
    '/containers/create', '/containers/{id}/resize', '/containers/{id}/start', '/containers/{id}/stop', '/containers/{id}/restart', '/containers/{id}/kill',
    '/containers/{id}/update', '/containers/{id}/rename', '/containers/{id}/pause', '/containers/{id}/unpause', '/containers/{id}/attach', '/containers/{id}/wait',
    '/containers/prune', '/build', '/build/prune', '/images/create', '/images/{name}/push', '/images/{name}/tag', '/images/prune', '/auth', '/commit', '/images/load',
    '/containers/{id}/exec', '/exec/{id}/start', '/exec/{id}/resize', '/volumes/create', '/volumes/prune', '/networks/create', '/networks/{id}/connect',
    '/networks/{id}/disconnect', '/networks/prune', '/plugins/pull', '/plugins/{name}/enable', '/plugins/{name}/disable', '/plugins/{name}/upgrade', '/plugins/create',
    '/plugins/{name}/push', '/plugins/{name}/set', '/nodes/{id}/update', '/swarm/init', '/swarm/join', '/swarm/leave', '/swarm/update', '/swarm/unlock', '/services/create',
    '/services/{id}/update', '/secrets/create', '/secrets/{id}/update', '/configs/create', '/configs/{id}/update', '/session',
  ],
  DELETE: [
    '/containers/{id}', '/images/{name}', '/volumes/{name}', '/networks/{id}', '/plugins/{name}', '/nodes/{id}', '/services/{id}', '/secrets/{id}', '/configs/{id}',
  ],
  HEAD: [
    '/containers/{id}/archive', '/_ping',
  ],
  PUT: [
    '/containers/{id}/archive',
  ],
};

test('every documented operation is answered: served, or refused in words of its own', () => {
  const router = Router();
  for (const { method, path } of dockerRoutes) router.on(method, path, () => undefined);
  const unknown = Object.entries(DOCUMENTED).flatMap(([method, paths]) => paths.filter((path) => router.find(method as 'GET', path.replaceAll(/\{\w+\}/g, 'x')) === null).map((path) => `${method} ${path}`));
  assert.deepEqual(unknown, []);
});
