import type { ConfigList, ConfigObject } from '../../api/v1/config-types.ts';
import { type EventList, LOCATION_ANNOTATION, SOURCE_ANNOTATION } from '../../api/v1/types.ts';
import type { ConfigKind } from '../../spec/resource.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { isKind, parseName, resourcePath } from '../name.ts';
import { formatBytes } from '../output/bytes.ts';
import { printable, renderTable } from '../output/table.ts';
import { type DescribeOptions, eventTable, pairs, section } from './describe.ts';
import { type GetOptions, serialize } from './get.ts';

/** `mooring get configmaps`, `mooring get secret/NAME`: in tables without any value; as YAML and JSON as they are kept. */
export async function listConfigs(client: Client, io: Io, kind: ConfigKind, words: readonly string[], { namespace, allNamespaces, output }: GetOptions): Promise<number> {
  const names = words.filter((word) => !isKind(word)).map((word) => parseName(word, namespace));
  const query = allNamespaces ? '' : `?${new URLSearchParams({ namespace }).toString()}`;
  const items = names.length === 0 ? (await client.get<ConfigList>(`/v1/${kind.toLowerCase()}s${query}`)).items : await Promise.all(names.map((name) => client.get<ConfigObject>(resourcePath(kind, name))));
  if (output === 'json' || output === 'yaml') {
    const [only] = items;
    io.out(await serialize(names.length === 1 && only !== undefined ? only : { apiVersion: 'v1', kind: 'List', items }, output));
  } else if (output === 'name') {
    io.out(items.map(({ metadata }) => `${kind.toLowerCase()}/${metadata.namespace === namespace ? '' : `${metadata.namespace}/`}${metadata.name}\n`).join(''));
  } else if (items.length === 0) {
    io.err(allNamespaces ? `No ${kind.toLowerCase()}s.\n` : `No ${kind.toLowerCase()}s in namespace ${namespace}.\n`);
  } else {
    io.out(table(items, kind, { namespaces: allNamespaces, wide: output === 'wide' }));
  }
  return EXIT.ok;
}

/** `mooring describe configmap/NAME …` and `secret/NAME …`: keys and sizes, and no value. */
export async function describeConfigs(client: Client, io: Io, kind: ConfigKind, words: readonly string[], { namespace, output }: DescribeOptions): Promise<number> {
  const names = words.filter((word) => !isKind(word)).map((word) => parseName(word, namespace));
  for (const [index, name] of names.entries()) {
    const key = `${name.namespace}/${name.name}`;
    const [object, { items: events }] = await Promise.all([client.get<ConfigObject>(resourcePath(kind, name)), client.get<EventList>(`/v1/events?${new URLSearchParams({ kind, name: key }).toString()}`)]);
    if (output === 'json' || output === 'yaml') {
      io.out(await serialize({ [kind.toLowerCase()]: object, events }, output));
      continue;
    }
    const parts = [fieldsText(object, io), section('Data', dataText(object), io), section('Events', events.length === 0 ? 'none' : eventTable(events, io.now()), io)];
    io.out(`${index > 0 ? '\n\n' : ''}${parts.join('\n\n')}\n`);
  }
  return EXIT.ok;
}

function table(items: readonly ConfigObject[], kind: ConfigKind, { namespaces, wide }: { readonly namespaces: boolean; readonly wide: boolean }): string {
  const header = [...(namespaces ? ['NAMESPACE'] : []), 'NAME', ...(kind === 'Secret' ? ['TYPE'] : []), 'DATA', 'CONTAINERS', ...(wide ? ['SOURCE'] : [])];
  const rows = items.map((item) => [
    ...(namespaces ? [item.metadata.namespace] : []),
    item.metadata.name,
    ...(item.kind === 'Secret' ? [item.type] : []),
    String(sizesOf(item).length),
    String(item.status.containers.length),
    ...(wide ? [sourceOf(item)] : []),
  ]);
  return renderTable(header, rows);
}

function fieldsText(object: ConfigObject, io: Io): string {
  const { metadata, status } = object;
  const said = new Set<string>([SOURCE_ANNOTATION, LOCATION_ANNOTATION]);
  const fields: [string, string][] = [
    ['Name', metadata.name],
    ['Namespace', metadata.namespace],
    ['Labels', pairs(metadata.labels)],
    ['Annotations', pairs(Object.fromEntries(Object.entries(metadata.annotations).filter(([key]) => !said.has(key))))],
    ['Source', sourceOf(object)],
    ['Generation', String(metadata.generation)],
    ['Type', object.kind === 'Secret' ? object.type : ''],
    ['Immutable', object.immutable ? 'yes' : ''],
    ['Containers', status.containers.join(', ') || 'none'],
  ];
  const shown = fields.filter(([, value]) => value !== '');
  const width = Math.max(...shown.map(([label]) => label.length)) + 1;
  return shown.map(([label, value]) => `${io.style.bold(`${label}:`.padEnd(width))}  ${printable(value)}`).join('\n');
}

function dataText(object: ConfigObject): string {
  const sizes = sizesOf(object);
  return sizes.length === 0 ? 'none' : renderTable(['KEY', 'SIZE'], sizes.map(([key, bytes]) => [key, formatBytes(bytes)]));
}

function sizesOf(object: ConfigObject): (readonly [string, number])[] {
  const bytes = (values: Readonly<Record<string, string>>): [string, number][] => Object.entries(values).map(([key, text]) => [key, Buffer.from(text, 'base64').length]);
  if (object.kind === 'Secret') return bytes(object.data);
  return [...Object.entries(object.data).map(([key, text]) => [key, Buffer.byteLength(text)] as const), ...bytes(object.binaryData)];
}

function sourceOf({ metadata: { annotations } }: ConfigObject): string {
  return `${annotations[SOURCE_ANNOTATION] ?? '?'}:${annotations[LOCATION_ANNOTATION] ?? '?'}`;
}
