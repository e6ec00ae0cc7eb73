import { humanDuration } from '../../api/docker/human-duration.ts';
import { formatBytes } from '../output/bytes.ts';
import type { ListFormat, Row } from '../template/list-format.ts';
import { portsText, type ListedPort } from './ports-text.ts';

/** One of `GET /containers/json`. */
export interface ListedContainer {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Ports: readonly ListedPort[] | null;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Readonly<Record<string, string>> | null;
  readonly State: string;
  readonly Status: string;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null;
  readonly Mounts?: readonly { readonly Type: string; readonly Name?: string; readonly Source: string; readonly Driver?: string }[] | null;
}

const USUAL = 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}';
const SHORT_COMMAND = 20;
const SHORT_MOUNT = 15;

export function containerFormat(withSize: boolean): ListFormat {
  return {
    headers: { ID: 'CONTAINER ID', Names: 'NAMES', Image: 'IMAGE', Command: 'COMMAND', CreatedAt: 'CREATED AT', RunningFor: 'CREATED', Ports: 'PORTS', State: 'STATE', Status: 'STATUS', Size: 'SIZE', Labels: 'LABELS', Mounts: 'MOUNTS', LocalVolumes: 'LOCAL VOLUMES', Networks: 'NETWORKS' },
    usual: withSize ? `${USUAL}\t{{.Size}}` : USUAL,
    quiet: '{{.ID}}',
  };
}

/** A container as `docker ps` shows it. */
export function containerRow(item: ListedContainer, { whole, now }: { readonly whole: boolean; readonly now: number }): Row {
  const labels = item.Labels ?? {};
  const mounts = (item.Mounts ?? []).map(({ Name, Source }) => (Name === undefined || Name === '' ? Source : Name)).map((text) => (whole ? text : shortened(text, SHORT_MOUNT)));
  const names = item.Names.map((name) => name.replace(/^\//, ''));
  return {
    ID: whole ? item.Id : item.Id.slice(0, 12),
    // With a slash within it is what a link calls it.
    Names: (whole ? names : names.filter((name) => !name.includes('/'))).join(','),
    Image: imageText(item, whole),
    Command: JSON.stringify(whole ? item.Command : shortened(item.Command, SHORT_COMMAND)),
    CreatedAt: goTime(item.Created),
    RunningFor: `${humanDuration(now - item.Created * 1000)} ago`,
    Ports: portsText(item.Ports ?? []),
    State: item.State,
    Status: item.Status,
    Size: `${formatBytes(item.SizeRw ?? 0)}${item.SizeRootFs === undefined || item.SizeRootFs === 0 ? '' : ` (virtual ${formatBytes(item.SizeRootFs)})`}`,
    Labels: labelsText(labels),
    Label: (key) => labels[key] ?? '',
    Mounts: mounts.join(','),
    LocalVolumes: String((item.Mounts ?? []).filter(({ Driver }) => Driver === 'local').length),
    Networks: Object.keys(item.NetworkSettings?.Networks ?? {}).join(','),
  };
}

export function labelsText(labels: Readonly<Record<string, string>> | null | undefined): string {
  return Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`).toSorted((a, b) => (a < b ? -1 : 1)).join(',');
}

/** Seconds since the epoch as Go's Time prints itself: `2026-01-31 12:00:00 +0000 UTC`. */
export function goTime(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

function imageText({ Image, ImageID }: ListedContainer, whole: boolean): string {
  if (Image === '') return '<no image>';
  if (whole) return Image;
  const id = ImageID.replace(/^sha256:/, '');
  return Image.replace(/^sha256:/, '').startsWith(id.slice(0, 12)) && id !== '' ? id.slice(0, 12) : Image.replace(/@sha256:[0-9a-f]+$/, '');
}

function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
