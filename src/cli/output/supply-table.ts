import type { NetworkObject, VolumeObject } from '../../api/v1/supply-types.ts';
import { LOCATION_ANNOTATION, SOURCE_ANNOTATION } from '../../api/v1/types.ts';
import { formatAge } from './age.ts';
import type { ContainerTableOptions } from './container-table.ts';
import { stateColour, type Style } from './style.ts';
import { type Cell, renderTable } from './table.ts';

export function renderNetworks(items: readonly NetworkObject[], { wide, namespaces, style }: ContainerTableOptions): string {
  const header = [...(namespaces ? ['NAMESPACE'] : []), 'NAME', 'DRIVER', 'STATE', 'SUBNETS', 'CONTAINERS', ...(wide ? ['GATEWAYS', 'LINK', 'SOURCE'] : []), 'MESSAGE'];
  const rows = items.map((item) => [
    ...(namespaces ? [item.metadata.namespace] : []),
    item.metadata.name,
    item.spec.driver,
    phaseCell(item, style),
    item.status.subnets?.join(',') ?? '-',
    String(item.status.containerCount),
    ...(wide ? [item.status.gateways?.join(',') ?? '-', item.status.link ?? '-', supplySource(item)] : []),
    faultOf(item),
  ]);
  return renderTable(header, rows);
}

export function renderVolumes(items: readonly VolumeObject[], { wide, namespaces, style, now }: ContainerTableOptions): string {
  const header = [...(namespaces ? ['NAMESPACE'] : []), 'NAME', 'DRIVER', 'STATE', 'RECLAIM', 'CONTAINERS', 'AGE', ...(wide ? ['PATH', 'SOURCE'] : []), 'MESSAGE'];
  const rows = items.map((item) => [
    ...(namespaces ? [item.metadata.namespace] : []),
    item.metadata.name,
    item.spec.driver,
    phaseCell(item, style),
    item.spec.reclaimPolicy,
    String(item.status.containerCount),
    item.status.createdAt === undefined ? '-' : formatAge(now - Date.parse(item.status.createdAt)),
    ...(wide ? [item.status.path ?? mountOf(item), supplySource(item)] : []),
    faultOf(item),
  ]);
  return renderTable(header, rows);
}

/** What a volume mounts that lies elsewhere: `nfs server:/path`. */
export function mountOf({ spec: { options } }: VolumeObject): string {
  return [options.type, options.device, options.o].filter((part) => part !== undefined).join(' ') || '-';
}

export function supplySource({ metadata }: NetworkObject | VolumeObject): string {
  const source = metadata.annotations[SOURCE_ANNOTATION];
  return source === undefined ? '-' : `${source}:${metadata.annotations[LOCATION_ANNOTATION] ?? '?'}`;
}

/** What keeps it from being ready, if anything does. */
function faultOf({ status }: NetworkObject | VolumeObject): string {
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' ? ready.message : '';
}

function phaseCell({ status }: NetworkObject | VolumeObject, style: Style): Cell {
  return { text: status.phase, paint: stateColour(style, status.phase) };
}
