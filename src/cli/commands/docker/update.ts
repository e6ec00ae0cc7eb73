import type { ApplyResult } from '../../../api/v1/types.ts';
import { MooringError } from '../../../lib/errors.ts';
import { Client } from '../../client.ts';
import { requireImage } from '../../docker/create-container.ts';
import { DockerClient, pathFor } from '../../docker/docker-client.ts';
import { findContainer } from '../../find-container.ts';
import type { Io } from '../../io.ts';
import { type ChangeFlags, changedContainer, namedVolumes, wantsRevision } from '../../run/changed-container.ts';
import { resourcesOf, restartOf } from '../../run/create-request.ts';
import { type RunFlags, wholeFlags } from '../../run/run-flags.ts';
import { ownSurroundings } from '../../run/surroundings.ts';
import { eachName } from './each-name.ts';

/** `mooring update NAME…`: other limits or another restart policy, at once and without a restart; another image, environment, ports or volumes by a new revision, which replaces what runs. */
export async function update(client: DockerClient, io: Io, names: readonly string[], given: Readonly<Record<string, unknown>>): Promise<number> {
  const flags: RunFlags & ChangeFlags = wholeFlags(given);
  const limits = limitsOf(flags);
  const isRevision = wantsRevision(flags);
  if (limits === undefined && !isRevision) throw new MooringError('Invalid', 'there is nothing to change', { fix: 'give a limit, --restart, --image, -e, -p or -v; see "mooring update --help"' });
  return eachName(io, names, async (name) => {
    if (isRevision) await revise(new Client(client.socket), io, name, flags);
    if (limits === undefined) return;
    const reply = await client.post<{ Warnings?: readonly string[] | null }>(pathFor('containers', name, 'update'), limits);
    for (const warning of reply?.Warnings ?? []) io.err(`warning: ${warning}\n`);
  });
}

function limitsOf(flags: RunFlags): Record<string, unknown> | undefined {
  const restart = restartOf(flags.restart);
  const given = Object.entries({ ...resourcesOf(flags), RestartPolicy: restart }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** What it takes is there before what runs is touched. */
async function revise(client: Client, io: Io, name: string, flags: RunFlags & ChangeFlags): Promise<void> {
  const container = await findContainer(client, name, 'default');
  const changed = changedContainer(container, flags, ownSurroundings());
  const docker = new DockerClient(client.socket);
  if (flags.image !== undefined) await requireImage(docker, io, flags.image, flags);
  for (const volume of namedVolumes(flags)) await docker.post('/volumes/create', { Name: volume });
  await client.post<ApplyResult>('/v1/apply', { files: [{ name: `update ${name}`, text: JSON.stringify(changed) }] });
}
