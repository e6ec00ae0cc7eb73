import { notOurs, untilView } from './container-change.ts';
import type { FoundContainer } from './container-lookup.ts';
import { stateOf } from './container-state.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { type FoundVolume, isAnonymous, listVolumes } from './volume-lookup.ts';
import { destroy, volumeUsers } from './volume-routes.ts';

export interface RemoveOptions {
  /** Also one that runs; it is killed. */
  readonly force: boolean;
  /** Its anonymous volumes, too. */
  readonly volumes: boolean;
}

/** Removes a container; settles once it is gone. Throws 409 for one that runs, unless forced. */
export async function removeContainer(services: DockerServices, found: FoundContainer, { force, volumes }: RemoveOptions, signal: AbortSignal): Promise<void> {
  const { id, view } = found;
  const state = stateOf(view);
  if (!force && state === 'paused') throw new DockerError(409, `You cannot remove a paused container ${id}. Unpause and then stop the container before attempting removal or force remove`);
  if (!force && (state === 'running' || state === 'restarting')) throw new DockerError(409, `You cannot remove a ${state} container ${id}. Stop the container before attempting removal or force remove`);
  if (state === 'removing') throw new DockerError(409, `removal of container ${id} is already in progress`);
  const names = volumes ? services.insight.record(id).volumes.map(({ volume }) => volume) : [];
  await removeForGood(services, found, signal);
  for (const volume of await anonymousVolumes(services, names)) if (volumeUsers(services, volume).length === 0) await destroy(services, volume); // one that another container has as well stays
}

/** Nobody wants it any more; what of it still runs is killed. */
export async function removeForGood(services: DockerServices, { id, view }: FoundContainer, signal: AbortSignal): Promise<void> {
  if (view.origin?.source !== 'api') throw notOurs(view);
  services.desired.delete('api', [{ kind: 'Container', name: view.name }]);
  if (view.status.pid !== undefined) await services.streams.signal(id, 'SIGKILL');
  await untilView(services, view.name, (present) => present?.status.containerID !== id, signal);
}

async function anonymousVolumes(services: DockerServices, names: readonly string[]): Promise<FoundVolume[]> {
  return (await listVolumes(services)).filter((volume) => names.includes(volume.key) && volume.origin?.source === 'api' && isAnonymous(volume));
}
