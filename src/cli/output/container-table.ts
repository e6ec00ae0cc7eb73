import { LOCATION_ANNOTATION, SOURCE_ANNOTATION, type ContainerObject } from '../../api/v1/types.ts';
import { formatAge } from './age.ts';
import { stateColour, type Style } from './style.ts';
import { renderTable, type Cell } from './table.ts';

export interface ContainerTableOptions {
  readonly wide: boolean;
  readonly namespaces: boolean;
  readonly style: Style;
  readonly now: number;
}

export function renderContainers(items: readonly ContainerObject[], { wide, namespaces, style, now }: ContainerTableOptions): string {
  const header = [
    ...(namespaces ? ['NAMESPACE'] : []),
    'NAME',
    'STATE',
    'RESTARTS',
    'ADDRESS',
    'AGE',
    ...(wide ? ['IMAGE', 'PID', 'ID', 'SOURCE'] : []),
    'MESSAGE',
  ];
  const rows = items.map((item): (Cell | string)[] => [
    ...(namespaces ? [item.metadata.namespace] : []),
    item.metadata.name,
    { text: item.status.phase, paint: stateColour(style, item.status.phase) },
    String(item.status.restartCount),
    addressOf(item),
    ageOf(item, now),
    ...(wide ? [item.spec.image, String(item.status.pid ?? '-'), item.status.containerID?.slice(0, 12) ?? '-', sourceOf(item)] : []),
    messageOf(item),
  ]);
  return renderTable(header, rows);
}

/** Where the container can be reached: its own address and the host's ports that lead to it, the host's own ports, or `-` without a network. */
export function addressOf({ spec, status }: ContainerObject): string {
  if (spec.network.mode === 'None') return '-';
  if (spec.network.mode === 'Bridge') return [status.addresses?.[0] ?? '-', ...publishedPorts(spec)].join(',');
  if (spec.ports.length === 0) return 'host';
  return spec.ports.map((port) => `localhost:${port.containerPort}${port.protocol === 'TCP' ? '' : `/${port.protocol.toLowerCase()}`}`).join(',');
}

/** `8080→80`, `127.0.0.1:53→53/udp`. */
function publishedPorts({ ports }: ContainerObject['spec']): string[] {
  return ports.flatMap(({ hostIP, hostPort, containerPort, protocol }) => {
    if (hostPort === undefined) return [];
    const address = hostIP === undefined ? '' : hostIP.includes(':') ? `[${hostIP}]:` : `${hostIP}:`;
    return [`${address}${hostPort}→${containerPort}${protocol === 'TCP' ? '' : `/${protocol.toLowerCase()}`}`];
  });
}

/** How long it runs, or since when it has not. */
function ageOf({ status }: ContainerObject, now: number): string {
  const since = status.pid === undefined ? (status.finishedAt ?? status.startedAt) : status.startedAt;
  return since === undefined ? '-' : formatAge(now - Date.parse(since));
}

/** What keeps it from being ready, if anything does. */
export function messageOf({ status }: ContainerObject): string {
  const stalled = status.conditions.find(({ type }) => type === 'Stalled');
  if (stalled?.status === 'True') return stalled.message;
  const ready = status.conditions.find(({ type }) => type === 'Ready');
  return ready === undefined || ready.status === 'True' ? '' : ready.message;
}

export function sourceOf({ metadata }: ContainerObject): string {
  return `${metadata.annotations[SOURCE_ANNOTATION] ?? '?'}:${metadata.annotations[LOCATION_ANNOTATION] ?? '?'}`;
}
