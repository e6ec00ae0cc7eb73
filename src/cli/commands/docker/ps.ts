import { containerFormat, containerRow, type ListedContainer } from '../../docker/container-rows.ts';
import type { DockerClient } from '../../docker/docker-client.ts';
import { filtersOf, queryOf } from '../../docker/filters.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { wholeNumber } from '../../run/numbers.ts';
import { renderList } from '../../template/list-format.ts';

export interface PsFlags {
  readonly all?: boolean;
  readonly quiet?: boolean;
  readonly filter?: readonly string[];
  /** False with --no-trunc. */
  readonly trunc: boolean;
  readonly size?: boolean;
  readonly last?: string;
  readonly latest?: boolean;
  readonly format?: string;
}

/** `mooring ps`: containers that run, or with --all all, as `docker ps` lists them. */
export async function ps(client: DockerClient, io: Io, { all, quiet, filter, trunc, size, last, latest, format }: PsFlags): Promise<number> {
  const limit = latest === true ? 1 : last === undefined ? undefined : wholeNumber('--last', last, -1);
  const isSizeAsked = size === true || (format ?? '').includes('.Size');
  const items = await client.get<ListedContainer[]>(`/containers/json${queryOf({ all, limit: limit === undefined || limit <= 0 ? undefined : limit, size: isSizeAsked, filters: filtersOf(filter) })}`);
  io.out(renderList(items.map((item) => containerRow(item, { whole: !trunc, now: io.now() })), containerFormat(size === true), { format, isQuiet: quiet === true }));
  return EXIT.ok;
}
