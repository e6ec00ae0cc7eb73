import type { DockerClient } from '../../docker/docker-client.ts';
import { filtersOf, queryOf } from '../../docker/filters.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { formatBytes } from '../../output/bytes.ts';

interface Pruned {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

/** `mooring container prune`: removes all that do not run. */
export async function pruneContainers(client: DockerClient, io: Io, { filter }: { readonly filter?: readonly string[] }): Promise<number> {
  const pruned = await client.post<Pruned>(`/containers/prune${queryOf({ filters: filtersOf(filter) })}`);
  const deleted = pruned?.ContainersDeleted ?? [];
  if (deleted.length > 0) io.out(`Deleted Containers:\n${deleted.join('\n')}\n\n`);
  io.out(`Total reclaimed space: ${formatBytes(pruned?.SpaceReclaimed ?? 0)}\n`);
  return EXIT.ok;
}
