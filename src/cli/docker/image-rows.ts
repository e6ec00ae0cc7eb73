import { humanDuration } from '../../api/docker/human-duration.ts';
import { formatBytes } from '../output/bytes.ts';
import type { ListFormat, Row } from '../template/list-format.ts';
import { goTime } from './container-rows.ts';

/** One of `GET /images/json`. */
export interface ListedImage {
  readonly Id: string;
  readonly RepoTags: readonly string[] | null;
  readonly RepoDigests: readonly string[] | null;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Containers: number;
}

const NONE = '<none>';

export function imageFormat(withDigests: boolean): ListFormat {
  return {
    headers: { ID: 'IMAGE ID', Repository: 'REPOSITORY', Tag: 'TAG', Digest: 'DIGEST', CreatedSince: 'CREATED', CreatedAt: 'CREATED AT', Size: 'SIZE', Containers: 'CONTAINERS', VirtualSize: 'SIZE', SharedSize: 'SHARED SIZE', UniqueSize: 'UNIQUE SIZE' },
    usual: withDigests ? 'table {{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}' : 'table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}',
    quiet: '{{.ID}}',
  };
}

/** An image as `docker images` shows it: a line for each of its names, or one where it has none. */
export function imageRows(item: ListedImage, { whole, digests, now }: { readonly whole: boolean; readonly digests: boolean; readonly now: number }): Row[] {
  const tags = (item.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>').map(splitTag);
  const byDigest = (item.RepoDigests ?? []).filter((text) => text !== '<none>@<none>').map((text) => text.split('@'));
  const digestOf = (repository: string): string => byDigest.find(([name]) => name === repository)?.[1] ?? NONE;
  const untagged = byDigest.filter(([name]) => !tags.some(({ repository }) => repository === name)).map(([repository = NONE, digest = NONE]) => ({ repository, tag: NONE, digest }));
  const names = [...tags.map((each) => ({ ...each, digest: digests ? digestOf(each.repository) : NONE })), ...(tags.length === 0 || digests ? untagged : [])];
  return (names.length === 0 ? [{ repository: NONE, tag: NONE, digest: NONE }] : names).map(({ repository, tag, digest }) => ({
    ID: whole ? item.Id : item.Id.replace(/^sha256:/, '').slice(0, 12),
    Repository: repository,
    Tag: tag,
    Digest: digest,
    CreatedSince: `${humanDuration(now - item.Created * 1000)} ago`,
    CreatedAt: goTime(item.Created),
    Size: formatBytes(item.Size),
    VirtualSize: formatBytes(item.Size),
    SharedSize: item.SharedSize < 0 ? 'N/A' : formatBytes(item.SharedSize),
    UniqueSize: item.SharedSize < 0 ? 'N/A' : formatBytes(item.Size - item.SharedSize),
    Containers: item.Containers < 0 ? 'N/A' : String(item.Containers),
  }));
}

function splitTag(text: string): { readonly repository: string; readonly tag: string } {
  const colon = text.lastIndexOf(':');
  return { repository: text.slice(0, colon), tag: text.slice(colon + 1) };
}
