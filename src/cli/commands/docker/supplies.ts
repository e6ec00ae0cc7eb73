import type { DockerClient } from '../../docker/docker-client.ts';
import { filtersOf, queryOf } from '../../docker/filters.ts';
import { type ListedNetwork, type ListedVolume, NETWORK_FORMAT, networkRow, VOLUME_FORMAT, volumeRow } from '../../docker/supply-rows.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { renderList } from '../../template/list-format.ts';

export interface SuppliesFlags {
  readonly filter?: readonly string[];
  readonly format?: string;
  readonly quiet?: boolean;
  /** False with --no-trunc. */
  readonly trunc?: boolean;
}

/** `mooring network ls` with a filter or a format: as `docker network ls` lists them. */
export async function networks(client: DockerClient, io: Io, { filter, format, quiet, trunc = true }: SuppliesFlags): Promise<number> {
  const items = await client.get<ListedNetwork[]>(`/networks${queryOf({ filters: filtersOf(filter) })}`);
  io.out(renderList(items.map((item) => networkRow(item, { whole: !trunc })), NETWORK_FORMAT, { format, isQuiet: quiet === true }));
  return EXIT.ok;
}

/** The same of volumes. */
export async function volumes(client: DockerClient, io: Io, { filter, format, quiet }: SuppliesFlags): Promise<number> {
  const { Volumes } = await client.get<{ readonly Volumes: readonly ListedVolume[] | null }>(`/volumes${queryOf({ filters: filtersOf(filter) })}`);
  io.out(renderList((Volumes ?? []).map(volumeRow), VOLUME_FORMAT, { format, isQuiet: quiet === true }));
  return EXIT.ok;
}
