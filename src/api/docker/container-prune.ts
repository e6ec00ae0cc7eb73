import { sendJson } from '../reply.ts';
import type { DockerCall } from './call.ts';
import { imageConfig, sizesOf } from './container-inspect.ts';
import { foundContainers, recordOf } from './container-lookup.ts';
import { removeContainer } from './container-remove.ts';
import { requestOf } from './container-request.ts';
import { stateOf } from './container-state.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { labelsOf } from './inspect-config.ts';

const FILTERS = ['label', 'label!', 'until'] as const;

/** `POST /containers/prune`: takes away those that do not run, of which the API itself was asked. */
export async function pruneContainers(call: DockerCall, services: DockerServices): Promise<void> {
  const filters = call.query.filters(FILTERS);
  const until = filters.has('until') ? untilOf(filters.values('until')) : undefined;
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const found of foundContainers(services)) {
    const { id, view } = found;
    if (view.origin?.source !== 'api' || !['created', 'exited', 'dead'].includes(stateOf(view))) continue;
    const record = recordOf(services, id);
    if (record === undefined) continue;
    if (until !== undefined && record.createdAt >= until) continue;
    const labels = labelsOf(requestOf(view.container), await imageConfig(services, record.imageId));
    if (!filters.haveLabels(labels) || !filters.lackLabels(labels)) continue;
    const { SizeRw } = await sizesOf(services, record);
    await removeContainer(services, found, { force: false, volumes: false }, call.signal);
    reclaimed += SizeRw;
    deleted.push(id);
  }
  services.told.prune('container', reclaimed);
  sendJson(call, { ContainersDeleted: deleted, SpaceReclaimed: reclaimed });
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000 } as const;

/** A time in seconds since the epoch, RFC 3339, or a span before now: `10m`, `1h30m`. Milliseconds since the epoch. */
export function untilOf([text = '', ...more]: readonly string[], now = Date.now()): number {
  if (more.length > 0) throw new DockerError(400, 'more than one until filter specified');
  if (/^(\d+[smh])+$/.test(text)) return now - [...text.matchAll(/(\d+)([smh])/g)].reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit as keyof typeof UNITS], 0);
  const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time)) throw new DockerError(400, `failed to parse ${JSON.stringify(text)} as a time`);
  return time;
}
