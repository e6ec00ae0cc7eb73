import type { ListFormat, Row } from '../template/list-format.ts';
import { labelsText } from './container-rows.ts';

/** One of `GET /networks`. */
export interface ListedNetwork {
  readonly Id: string;
  readonly Name: string;
  /** RFC 3339. */
  readonly Created: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly EnableIPv6: boolean;
  readonly Internal: boolean;
  readonly Labels: Readonly<Record<string, string>> | null;
}

/** One of `GET /volumes`. */
export interface ListedVolume {
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Mountpoint: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

export const NETWORK_FORMAT: ListFormat = {
  headers: { ID: 'NETWORK ID', Name: 'NAME', Driver: 'DRIVER', Scope: 'SCOPE', IPv4: 'IPV4', IPv6: 'IPV6', Internal: 'INTERNAL', Labels: 'LABELS', CreatedAt: 'CREATED AT' },
  usual: 'table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}',
  quiet: '{{.Name}}',
};

/** A network as `docker network ls` shows it. */
export function networkRow({ Id, Name, Created, Driver, Scope, EnableIPv6, Internal, Labels }: ListedNetwork, { whole }: { readonly whole: boolean }): Row {
  return {
    ID: whole ? Id : Id.slice(0, 12),
    Name,
    Driver,
    Scope,
    IPv4: 'true', // every network of ours has it
    IPv6: String(EnableIPv6),
    Internal: String(Internal),
    Labels: labelsText(Labels),
    Label: (key) => Labels?.[key] ?? '',
    // As Go's Time prints itself.
    CreatedAt: Created.replace('T', ' ').replace(/Z$/, ' +0000 UTC'),
  };
}

/** What only clusters and `system df` tell. */
const NOT_TOLD = 'N/A';

export const VOLUME_FORMAT: ListFormat = {
  headers: { Name: 'VOLUME NAME', Driver: 'DRIVER', Scope: 'SCOPE', Mountpoint: 'MOUNTPOINT', Labels: 'LABELS', Links: 'LINKS', Size: 'SIZE', Availability: 'AVAILABILITY', Group: 'GROUP', Status: 'STATUS' },
  usual: 'table {{.Driver}}\t{{.Name}}',
  quiet: '{{.Name}}',
};

/** A volume as `docker volume ls` shows it. */
export function volumeRow({ Name, Driver, Scope, Mountpoint, Labels }: ListedVolume): Row {
  return { Name, Driver, Scope, Mountpoint, Labels: labelsText(Labels), Label: (key) => Labels?.[key] ?? '', Links: NOT_TOLD, Size: NOT_TOLD, Availability: NOT_TOLD, Group: NOT_TOLD, Status: NOT_TOLD };
}
