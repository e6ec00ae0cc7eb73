import type { NetworkObject, VolumeObject } from '../../api/v1/supply-types.ts';
import { type EventList, LOCATION_ANNOTATION, SOURCE_ANNOTATION } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { isKind, parseName, resourcePath } from '../name.ts';
import { formatAge } from '../output/age.ts';
import { formatBytes } from '../output/bytes.ts';
import { stateColour } from '../output/style.ts';
import { mountOf, supplySource } from '../output/supply-table.ts';
import { printable, renderTable } from '../output/table.ts';
import { type DescribeOptions, eventTable, pairs, section } from './describe.ts';
import { serialize } from './get.ts';
import type { SupplyKind, SupplyObject } from './supply.ts';

type Field = readonly [string, string | undefined];

/** `mooring describe network/NAME …` and `volume/NAME …`: everything on one page. */
export async function describeSupplies(client: Client, io: Io, kind: SupplyKind, words: readonly string[], options: DescribeOptions): Promise<number> {
  const names = words.filter((word) => !isKind(word)).map((word) => parseName(word, options.namespace));
  for (const [index, name] of names.entries()) {
    const key = `${name.namespace}/${name.name}`;
    const [object, { items: events }] = await Promise.all([client.get<SupplyObject>(resourcePath(kind, name)), client.get<EventList>(`/v1/events?${new URLSearchParams({ kind, name: key }).toString()}`)]);
    if (options.output === 'json' || options.output === 'yaml') {
      io.out(await serialize({ [kind.toLowerCase()]: object, events }, options.output));
      continue;
    }
    const now = io.now();
    const parts = [fieldsText(object, io), ...conditionsText(object, now, io), section('Events', events.length === 0 ? 'none' : eventTable(events, now), io)];
    io.out(`${index > 0 ? '\n\n' : ''}${parts.join('\n\n')}\n`);
  }
  return EXIT.ok;
}

function fieldsText(object: SupplyObject, io: Io): string {
  const { style } = io;
  const { metadata, status } = object;
  const said = new Set<string>([SOURCE_ANNOTATION, LOCATION_ANNOTATION]);
  const fields: Field[] = [
    ['Name', metadata.name],
    ['Namespace', metadata.namespace],
    ['Labels', pairs(metadata.labels)],
    ['Annotations', pairs(Object.fromEntries(Object.entries(metadata.annotations).filter(([key]) => !said.has(key))))],
    ['Source', supplySource(object)],
    ['Generation', `${metadata.generation} (observed ${status.observedGeneration})`],
    ['State', status.phase],
    ...(object.kind === 'Network' ? networkFields(object) : volumeFields(object, io.now())),
  ];
  const shown = fields.filter((field): field is [string, string] => field[1] !== undefined && field[1] !== '');
  const width = Math.max(...shown.map(([label]) => label.length)) + 1;
  return shown.map(([label, value]) => `${style.bold(`${label}:`.padEnd(width))}  ${label === 'State' ? stateColour(style, value)(value) : printable(value)}`).join('\n');
}

function networkFields({ spec, status }: NetworkObject): Field[] {
  return [
    ['Driver', spec.mode === undefined ? spec.driver : `${spec.driver} (${spec.mode})`],
    ['Parent', spec.parent],
    ['Internal', spec.internal ? 'yes: no way out' : undefined],
    ['Subnets', status.subnets?.join(', ')],
    ['Gateways', status.gateways?.join(', ')],
    ['MTU', spec.mtu?.toString()],
    ['Link', status.link ?? 'none, until a container is connected'],
    ['Containers', status.containers.map(({ name, addresses }) => `${name} (${addresses.join(', ')})`).join(', ') || 'none'],
  ];
}

function volumeFields(volume: VolumeObject, now: number): Field[] {
  const { spec, status } = volume;
  return [
    ['Driver', spec.driver],
    ['Path', status.path],
    ['Mounts', status.path === undefined ? mountOf(volume) : undefined],
    ['Reclaim policy', spec.reclaimPolicy],
    ['Owner', status.owner && `container ${status.owner.container}, at ${status.owner.mountPath}`],
    ['Used', status.usedBytes === undefined ? undefined : formatBytes(status.usedBytes)],
    ['Created', status.createdAt && `${status.createdAt} (${formatAge(now - Date.parse(status.createdAt))} ago)`],
    ['Containers', status.containers.join(', ') || 'none'],
  ];
}

function conditionsText({ status }: SupplyObject, now: number, io: Io): string[] {
  if (status.conditions.length === 0) return [];
  const rows = status.conditions.map((condition) => [condition.type, condition.status, condition.reason, formatAge(now - Date.parse(condition.lastTransitionTime)), condition.message]);
  return [section('Conditions', renderTable(['TYPE', 'STATUS', 'REASON', 'AGE', 'MESSAGE'], rows), io)];
}
