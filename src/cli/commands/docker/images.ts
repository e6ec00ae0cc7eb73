import { humanDuration } from '../../../api/docker/human-duration.ts';
import { goTime } from '../../docker/container-rows.ts';
import { type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { filtersOf, queryOf } from '../../docker/filters.ts';
import { imageFormat, imageRows, type ListedImage } from '../../docker/image-rows.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { formatBytes } from '../../output/bytes.ts';
import { renderList } from '../../template/list-format.ts';

export interface ImagesFlags {
  readonly all?: boolean;
  readonly digests?: boolean;
  readonly filter?: readonly string[];
  readonly format?: string;
  /** False with --no-trunc. */
  readonly trunc: boolean;
  readonly quiet?: boolean;
}

/** `mooring images [NAME]`, as `docker images` lists them. */
export async function images(client: DockerClient, io: Io, name: string | undefined, { all, digests = false, filter = [], format, trunc, quiet }: ImagesFlags): Promise<number> {
  const filters = filtersOf(name === undefined ? filter : [...filter, `reference=${name}`]);
  const items = await client.get<ListedImage[]>(`/images/json${queryOf({ all, digests, filters })}`);
  const isDigestAsked = digests || (format ?? '').includes('.Digest');
  io.out(renderList(items.flatMap((item) => imageRows(item, { whole: !trunc, digests: isDigestAsked, now: io.now() })), imageFormat(digests), { format, isQuiet: quiet === true }));
  return EXIT.ok;
}

interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

export interface HistoryFlags {
  readonly format?: string;
  /** False with --no-trunc. */
  readonly trunc: boolean;
  readonly quiet?: boolean;
  /** False: bytes and dates as they are. */
  readonly human: boolean;
}

const SHORT_COMMAND = 45;

/** `mooring history IMAGE`: the steps that made it, the newest first. */
export async function history(client: DockerClient, io: Io, name: string, { format, trunc, quiet, human }: HistoryFlags): Promise<number> {
  const items = await client.get<HistoryItem[]>(pathFor('images', name, 'history'));
  const rows = items.map(({ Id, Created, CreatedBy, Size, Comment }) => {
    const by = CreatedBy.replaceAll('\t', ' ');
    return {
      ID: trunc ? Id.replace(/^sha256:/, '').slice(0, Id === '<missing>' ? undefined : 12) : Id,
      CreatedSince: human ? `${humanDuration(io.now() - Created * 1000)} ago` : new Date(Created * 1000).toISOString().replace('.000', ''),
      CreatedAt: goTime(Created),
      CreatedBy: trunc && by.length > SHORT_COMMAND ? `${by.slice(0, SHORT_COMMAND - 1)}…` : by,
      Size: human ? formatBytes(Size) : String(Size),
      Comment,
    };
  });
  const headers = { ID: 'IMAGE', CreatedSince: human ? 'CREATED' : 'CREATED AT', CreatedAt: 'CREATED AT', CreatedBy: 'CREATED BY', Size: 'SIZE', Comment: 'COMMENT' };
  io.out(renderList(rows, { headers, usual: 'table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}', quiet: '{{.ID}}' }, { format, isQuiet: quiet === true }));
  return EXIT.ok;
}
