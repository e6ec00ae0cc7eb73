import type { NetworkList, NetworkObject, SupplyPrune, VolumeList, VolumeObject } from '../../api/v1/supply-types.ts';
import type { DeleteResult } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { isKind, type NameArgument, parseName, resourcePath } from '../name.ts';
import { formatBytes } from '../output/bytes.ts';
import { renderNetworks, renderVolumes } from '../output/supply-table.ts';
import { type GetOptions, serialize } from './get.ts';

/** Networks or volumes. */
export type SupplyKind = 'Network' | 'Volume';
export type SupplyObject = NetworkObject | VolumeObject;

/** `mooring get networks`, `mooring network ls` and the same of volumes: all, or those that the words name. */
export async function listSupplies(client: Client, io: Io, kind: SupplyKind, words: readonly string[], options: GetOptions): Promise<number> {
  const names = words.filter((word) => !isKind(word)).map((word) => parseName(word, options.namespace));
  const items = names.length === 0 ? await fetchAll(client, kind, options) : await Promise.all(names.map((name) => client.get<SupplyObject>(resourcePath(kind, name))));
  const { output } = options;
  if (output === 'json' || output === 'yaml') {
    const [only] = items;
    io.out(await serialize(names.length === 1 && only !== undefined ? only : { apiVersion: 'mooring.dev/v1alpha1', kind: `${kind}List`, items }, output));
  } else if (output === 'name') {
    io.out(items.map(({ metadata }) => `${kind.toLowerCase()}/${metadata.namespace === options.namespace ? '' : `${metadata.namespace}/`}${metadata.name}\n`).join(''));
  } else if (items.length === 0) {
    io.err(options.allNamespaces ? `No ${kind.toLowerCase()}s.\n` : `No ${kind.toLowerCase()}s in namespace ${options.namespace}.\n`);
  } else {
    const table = { wide: output === 'wide', namespaces: options.allNamespaces, style: io.style, now: io.now() };
    io.out(kind === 'Network' ? renderNetworks(items as NetworkObject[], table) : renderVolumes(items as VolumeObject[], table));
  }
  return EXIT.ok;
}

/** `ls -q`: the names alone. */
export async function listNames(client: Client, io: Io, kind: SupplyKind, options: Pick<GetOptions, 'namespace' | 'allNamespaces'>): Promise<number> {
  for (const { metadata } of await fetchAll(client, kind, options)) io.out(`${nameFor(metadata, options.namespace)}\n`);
  return EXIT.ok;
}

/** `inspect NAME …`: everything, as JSON unless asked otherwise. */
export async function inspectSupplies(client: Client, io: Io, kind: SupplyKind, words: readonly string[], { namespace, output }: { readonly namespace: string; readonly output?: 'json' | 'yaml' }): Promise<number> {
  const items = await Promise.all(words.map((word) => client.get<SupplyObject>(resourcePath(kind, parseName(word, namespace)))));
  io.out(await serialize(items.length === 1 ? items[0] : items, output ?? 'json'));
  return EXIT.ok;
}

/** `rm NAME …`: of volumes with their data. */
export async function removeSupplies(client: Client, io: Io, kind: SupplyKind, words: readonly string[], { namespace }: { readonly namespace: string }): Promise<number> {
  for (const word of words) {
    const { items } = await client.delete<DeleteResult>(resourcePath(kind, parseName(word, namespace)));
    for (const { name } of items) io.out(`${nameFor(splitName(name), namespace)}\n`);
  }
  return EXIT.ok;
}

/** `prune`: those that nothing uses. */
export async function pruneSupplies(client: Client, io: Io, kind: SupplyKind, { all = false }: { readonly all?: boolean }): Promise<number> {
  const { names, bytes } = await client.call<SupplyPrune>(`/v1/${kind.toLowerCase()}s-prune${all ? '?all=1' : ''}`);
  for (const name of names) io.out(`removed ${name}\n`);
  if (bytes !== undefined) io.out(`${formatBytes(bytes)} given back\n`);
  else if (names.length === 0) io.out('nothing to remove\n');
  return EXIT.ok;
}

/** Declares a resource under source `api`, and prints its name once it is there. */
export async function createSupply(client: Client, io: Io, kind: SupplyKind, name: NameArgument, rest: { readonly labels: Readonly<Record<string, string>>; readonly spec: unknown }, namespace: string): Promise<number> {
  const { metadata } = await client.send<SupplyObject>(`/v1/${kind.toLowerCase()}s`, { apiVersion: 'mooring.dev/v1alpha1', kind, metadata: { ...name, labels: rest.labels }, spec: rest.spec });
  io.out(`${nameFor(metadata, namespace)}\n`);
  return EXIT.ok;
}

async function fetchAll(client: Client, kind: SupplyKind, { namespace, allNamespaces }: Pick<GetOptions, 'namespace' | 'allNamespaces'>): Promise<readonly SupplyObject[]> {
  const query = allNamespaces ? '' : `?${new URLSearchParams({ namespace }).toString()}`;
  return (await client.get<NetworkList | VolumeList>(`/v1/${kind.toLowerCase()}s${query}`)).items;
}

function nameFor({ namespace, name }: NameArgument, current: string): string {
  return namespace === current ? name : `${namespace}/${name}`;
}

function splitName(text: string): NameArgument {
  const [namespace = '', name = ''] = text.split('/');
  return { namespace, name };
}
