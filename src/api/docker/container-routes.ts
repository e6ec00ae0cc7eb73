import { sendJson } from '../reply.ts';
import { type DockerCall, param, sendStatus } from './call.ts';
import { changes, exportContainer, getArchive, putArchive, statArchive } from './container-archive.ts';
import { attach, attachWebSocket } from './container-attach.ts';
import { createContainer } from './container-create.ts';
import { LIST_FILTERS } from './container-filter.ts';
import { inspectContainer } from './container-inspect.ts';
import { listContainers } from './container-list.ts';
import { logs } from './container-logs.ts';
import { attributesOf } from './container-events.ts';
import { findContainer, type FoundContainer } from './container-lookup.ts';
import { pruneContainers } from './container-prune.ts';
import { removeContainer } from './container-remove.ts';
import { startContainer } from './container-start.ts';
import { requireRunning } from './container-state.ts';
import { stats } from './container-stats.ts';
import { killContainer, pauseContainer, restartContainer, stopContainer } from './container-stop.ts';
import { top } from './container-top.ts';
import { renameContainer, updateContainer } from './container-update.ts';
import { wait } from './container-wait.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { resizeTerminal, terminalSize } from './resize.ts';
import type { DockerRoute } from './route.ts';
import { grantedContainers } from './token-access.ts';

const CONTAINER = '/containers/:id';

/** Containers of the Docker Engine API. */
export const containerRoutes: readonly DockerRoute[] = [
  { method: 'GET', path: '/containers/json', handle: list },
  { method: 'POST', path: '/containers/create', handle: createContainer },
  { method: 'POST', path: '/containers/prune', handle: pruneContainers },
  { method: 'GET', path: `${CONTAINER}/json`, handle: inspect },
  { method: 'GET', path: `${CONTAINER}/top`, handle: top },
  { method: 'GET', path: `${CONTAINER}/logs`, handle: logs },
  { method: 'GET', path: `${CONTAINER}/changes`, handle: changes },
  { method: 'GET', path: `${CONTAINER}/export`, handle: exportContainer },
  { method: 'GET', path: `${CONTAINER}/stats`, handle: stats },
  { method: 'POST', path: `${CONTAINER}/resize`, handle: resize },
  { method: 'POST', path: `${CONTAINER}/start`, handle: start },
  { method: 'POST', path: `${CONTAINER}/stop`, handle: stop },
  { method: 'POST', path: `${CONTAINER}/restart`, handle: restart },
  { method: 'POST', path: `${CONTAINER}/kill`, handle: kill },
  { method: 'POST', path: `${CONTAINER}/update`, handle: updateContainer },
  { method: 'POST', path: `${CONTAINER}/rename`, handle: renameContainer },
  { method: 'POST', path: `${CONTAINER}/pause`, handle: (call, services) => pause(call, services, true) },
  { method: 'POST', path: `${CONTAINER}/unpause`, handle: (call, services) => pause(call, services, false) },
  { method: 'POST', path: `${CONTAINER}/attach`, handle: attach },
  { method: 'GET', path: `${CONTAINER}/attach/ws`, handle: attachWebSocket },
  { method: 'POST', path: `${CONTAINER}/wait`, handle: wait },
  { method: 'DELETE', path: CONTAINER, handle: remove },
  { method: 'HEAD', path: `${CONTAINER}/archive`, handle: statArchive },
  { method: 'GET', path: `${CONTAINER}/archive`, handle: getArchive },
  { method: 'PUT', path: `${CONTAINER}/archive`, handle: putArchive },
];

async function list(call: DockerCall, services: DockerServices): Promise<void> {
  const { query } = call;
  const limit = query.number('limit');
  const options = { all: query.flag('all'), size: query.flag('size'), limit: limit !== undefined && limit > 0 ? limit : undefined, before: query.text('before'), since: query.text('since'), filters: query.filters(LIST_FILTERS), ...(call.grant !== undefined && { among: grantedContainers(call.grant, services) }) };
  sendJson(call, await listContainers(services, options));
}

async function inspect(call: DockerCall, services: DockerServices): Promise<void> {
  sendJson(call, await inspectContainer(services, findContainer(services, param(call, 'id')), { size: call.query.flag('size') }));
}

async function start(call: DockerCall, services: DockerServices): Promise<void> {
  sendStatus(call, (await startContainer(services, findContainer(services, param(call, 'id')), call)) ? 204 : 304);
}

async function stop(call: DockerCall, services: DockerServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  const stopped = await stopContainer(services, found, graceOf(call), call.signal);
  if (stopped) tell(services, found, 'stop');
  sendStatus(call, stopped ? 204 : 304);
}

async function restart(call: DockerCall, services: DockerServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  await restartContainer(services, found, graceOf(call), call.signal);
  tell(services, found, 'restart');
  sendStatus(call, 204);
}

async function kill(call: DockerCall, services: DockerServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  const signal = call.query.text('signal') ?? 'SIGKILL';
  await killContainer(services, found, signal, param(call, 'id'), call.signal);
  tell(services, found, 'kill', { signal });
  sendStatus(call, 204);
}

async function pause(call: DockerCall, services: DockerServices, isPause: boolean): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  await pauseContainer(services, found, isPause, call.signal);
  tell(services, found, isPause ? 'pause' : 'unpause');
  sendStatus(call, 204);
}

async function resize(call: DockerCall, services: DockerServices): Promise<void> {
  const found = findContainer(services, param(call, 'id'));
  const { rows, columns } = terminalSize(call.query);
  requireRunning(found.id, found.view, 'resize');
  await resizeTerminal(await services.streams.attach(found.id), rows, columns);
  tell(services, found, 'resize', { height: String(rows), width: String(columns) });
  sendStatus(call, 200);
}

async function remove(call: DockerCall, services: DockerServices): Promise<void> {
  const { query } = call;
  if (query.flag('link')) throw new DockerError(501, 'removing a link is not supported by Mooring; remove the container that has it, and make it anew');
  await removeContainer(services, findContainer(services, param(call, 'id')), { force: query.flag('force'), volumes: query.flag('v') }, call.signal);
  sendStatus(call, 204);
}

/** Seconds; undefined for the container's own. Negative: for ever. */
function graceOf({ query }: DockerCall): number | undefined {
  const seconds = query.number('t');
  return seconds === undefined ? undefined : Math.max(-1, seconds);
}

function tell({ told }: DockerServices, { id, view }: FoundContainer, action: string, more: Readonly<Record<string, string>> = {}): void {
  told.container(action, id, { ...attributesOf(view), ...more });
}
