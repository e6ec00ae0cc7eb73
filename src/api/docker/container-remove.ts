import { type VolumeName, volumeName } from '../../spec/name.ts';
import type { ApiServices } from '../v1/services.ts';
import { notOurs, untilView } from './container-change.ts';
import type { FoundContainer } from './container-lookup.ts';
import { stateOf } from './container-state.ts';
import { DockerError } from './error-reply.ts';
import { ANONYMOUS_ANNOTATION } from './resource-names.ts';

export interface RemoveOptions {
  /** Also one that runs; it is killed. */
  readonly force: boolean;
  /** Its anonymous volumes, too. */
  readonly volumes: boolean;
}

/** Removes a container; settles once it is gone. Throws 409 for one that runs, unless forced. */
export async function removeContainer(services: ApiServices, found: FoundContainer, { force, volumes }: RemoveOptions, signal: AbortSignal): Promise<void> {
  const { id, view } = found;
  const state = stateOf(view);
  if (!force && state === 'paused') throw new DockerError(409, `You cannot remove a paused container ${id}. Unpause and then stop the container before attempting removal or force remove`);
  if (!force && (state === 'running' || state === 'restarting')) throw new DockerError(409, `You cannot remove a ${state} container ${id}. Stop the container before attempting removal or force remove`);
  if (state === 'removing') throw new DockerError(409, `removal of container ${id} is already in progress`);
  const anonymous = volumes ? anonymousVolumes(services, found) : [];
  await removeForGood(services, found, signal);
  for (const name of anonymous) await removeUnused(services, name);
}

/** Nobody wants it any more; what of it still runs is killed. */
export async function removeForGood(services: ApiServices, { id, view }: FoundContainer, signal: AbortSignal): Promise<void> {
  if (view.origin?.source !== 'api') throw notOurs(view);
  services.desired.delete('api', [{ kind: 'Container', name: view.name }]);
  if (view.status.pid !== undefined) await services.streams.signal(id, 'SIGKILL');
  await untilView(services, view.name, (present) => present?.status.containerID !== id, signal);
}

function anonymousVolumes({ desired, insight }: ApiServices, { id }: FoundContainer): VolumeName[] {
  return insight.record(id).volumes.flatMap(({ volume }) => {
    const wanted = desired.getOf('Volume', volume as VolumeName);
    return wanted?.origin.source === 'api' && wanted.volume.metadata.annotations[ANONYMOUS_ANNOTATION] === 'true' ? [volumeName(wanted.volume.metadata)] : [];
  });
}

/** One that another container has as well stays. */
async function removeUnused({ desired, supplies, volumes }: ApiServices, name: VolumeName): Promise<void> {
  const state = await volumes.inspect(name);
  if (state !== undefined && state.containers.length > 0) return;
  desired.delete('api', [{ kind: 'Volume', name }]);
  await supplies.settle({ kind: 'Volume', name });
}
