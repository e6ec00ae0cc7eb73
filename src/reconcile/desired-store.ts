import { isDeepStrictEqual } from 'node:util';
import type { DesiredRecord as Row, DesiredRecords } from '../engine/store/desired-records.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { ContainerName, ResourceName } from '../spec/name.ts';
import type { SpecProblem } from '../spec/problem.ts';
import { contentOf, describeResource, type Resource, resourceName, type ResourceKind, schemaOf } from '../spec/resource.ts';
import { type Declared, type DesiredOf, type DesiredResource, type DesiredStore, type Origin, type ResourceKey, resourceOf, type SourceName } from './desired.ts';
import { CIRCLE_FIX, circlesAmong, describeCircle } from '../spec/order-graph.ts';

type DesiredRecord = Row<SourceName>;

export interface DesiredStoreOptions {
  readonly records: Pick<DesiredRecords<SourceName>, 'list' | 'replace'>;
  /** Hash over the canonical, defaulted spec. */
  readonly hashOf: (resource: Resource) => string;
  readonly logger: Logger;
}

/**
 * Opens the merged desired state of all sources. What the records hold is desired from the start, before any source has spoken.
 * A failing write throws what the records throw and leaves the desired state as it was.
 */
export function openDesiredStore(options: DesiredStoreOptions): DesiredStore {
  const { records, hashOf, logger } = options;
  const held = new Map<string, DesiredResource>();
  for (const record of records.list()) held.set(keyText(record), fromRecord(record, logger));
  const listeners = new Set<(changed: readonly ResourceKey[]) => void>();

  const all = (): DesiredResource[] => [...held.values()];
  const listOf = <Kind extends ResourceKind>(kind: Kind): DesiredOf[Kind][] => all().filter((desired): desired is DesiredOf[Kind] => resourceOf(desired).kind === kind);
  const getOf = <Kind extends ResourceKind>(kind: Kind, name: ResourceName): DesiredOf[Kind] | undefined => held.get(keyText({ kind, name })) as DesiredOf[Kind] | undefined;

  /** What the store would hold for `declared`: the very object it holds now when nothing differs. */
  function accepted(source: SourceName, { resource, location }: Declared): DesiredResource {
    const current = held.get(keyText(keyOf(resource)));
    const origin = { source, location };
    if (current === undefined) return desiredFor(resource, { origin, specHash: hashOf(resource), generation: 1 });
    const before = resourceOf(current);
    // Specs are compared, not hashes: a later version that hashes otherwise must not make every container anew.
    if (!isDeepStrictEqual(contentOf(before), contentOf(resource))) return desiredFor(resource, { origin, specHash: hashOf(resource), generation: current.generation + 1 });
    if (isDeepStrictEqual(before, resource) && isDeepStrictEqual(current.origin, origin)) return current;
    return desiredFor(resource, { origin, specHash: current.specHash, generation: current.generation });
  }

  /** The containers of `wanted` that would close a circle in the order of starts, each with that. Of the others of their source only those that stay count. */
  function circlesOf(wanted: ReadonlyMap<string, DesiredResource>, stays: (key: string) => boolean): Map<ContainerName, ContainerName[]> {
    const changed = new Map([...wanted].flatMap(([key, desired]) => ('container' in desired && held.get(key) !== desired ? [[desired.name, desired.container] as const] : [])));
    const [source] = [...wanted.values()].map(({ origin }) => origin.source);
    return circlesAmong(changed, (name) => {
      const key = keyText({ kind: 'Container', name });
      const current = held.get(key);
      return current !== undefined && 'container' in current && (current.origin.source !== source || stays(key)) ? current.container : undefined;
    });
  }

  function commit(wanted: readonly DesiredResource[], removed: readonly ResourceKey[]): void {
    const put = wanted.filter((desired) => held.get(keyText(keyOf(resourceOf(desired)))) !== desired);
    if (put.length === 0 && removed.length === 0) return;
    records.replace({ put: put.map(toRecord), delete: removed });
    for (const key of removed) held.delete(keyText(key));
    const changed = put.map((desired) => keyOf(resourceOf(desired)));
    for (const [index, desired] of put.entries()) held.set(keyText(changed[index] as ResourceKey), desired);
    tell([...changed, ...removed]);
  }

  function tell(changed: readonly ResourceKey[]): void {
    for (const listener of listeners) {
      try {
        listener(changed);
      } catch (error) {
        // The change is on disk already: the source that made it must not take a listener's failure for its own.
        logger.error({ err: error, changed }, 'a listener of the desired store failed');
      }
    }
  }

  return {
    get: (name) => getOf('Container', name),
    list: () => listOf('Container'),
    getOf,
    listOf,
    listSource: (source) => all().filter((desired) => desired.origin.source === source),

    replaceSource(source, declared) {
      const wanted = new Map<string, DesiredResource>();
      const problems: SpecProblem[] = [];
      for (const item of declared) {
        const key = keyText(keyOf(item.resource));
        const current = held.get(key);
        const holder = wanted.get(key) ?? foreignHolder(current, source);
        if (holder !== undefined) problems.push(claimedTwice(item, source, holder));
        else if (current !== undefined && isRefused(current, item.resource)) {
          wanted.set(key, current);
          problems.push({ file: fileOfLocation(item.location), at: item.location, ...IMMUTABLE, ...keyOf(item.resource) });
        } else wanted.set(key, accepted(source, item));
      }
      for (const [name, circle] of circlesOf(wanted, (key) => wanted.has(key))) {
        const key = { kind: 'Container' as const, name };
        const current = held.get(keyText(key));
        // What it was before stays in force.
        if (current === undefined) wanted.delete(keyText(key));
        else wanted.set(keyText(key), current);
        const { location = '.' } = declared.find(({ resource }) => keyText(keyOf(resource)) === keyText(key)) ?? {};
        problems.push({ file: fileOfLocation(location), at: location, field: 'spec.dependsOn', message: describeCircle(circle), fix: CIRCLE_FIX, ...key });
      }
      const removed = all().flatMap((desired) => {
        const key = keyOf(resourceOf(desired));
        return desired.origin.source === source && !wanted.has(keyText(key)) ? [key] : [];
      });
      commit([...wanted.values()], removed);
      return problems;
    },

    apply(source, declared) {
      const wanted = new Map<string, DesiredResource>();
      for (const item of declared) {
        const key = keyOf(item.resource);
        if (wanted.has(keyText(key))) throw new MooringError('Invalid', `${described(key)} is given twice in one request`, { at: item.location });
        refuseForeign(key, foreignHolder(held.get(keyText(key)), source), 'change');
        const current = held.get(keyText(key));
        if (current !== undefined && isRefused(current, item.resource)) throw new MooringError('Invalid', `${described(key)} is immutable: its data can not be changed`, { at: item.location, fix: IMMUTABLE.fix });
        wanted.set(keyText(key), accepted(source, item));
      }
      for (const [name, circle] of circlesOf(wanted, () => true)) {
        throw new MooringError('Invalid', `${described({ kind: 'Container', name })}: ${describeCircle(circle)}`, { fix: CIRCLE_FIX });
      }
      const result = [...wanted.values()];
      commit(result, []);
      return result;
    },

    delete(source, keys) {
      for (const key of keys) {
        const current = held.get(keyText(key));
        if (current === undefined) throw new MooringError('NotFound', `${described(key)} is not desired by any source`);
        refuseForeign(key, foreignHolder(current, source), 'delete');
      }
      commit([], keys);
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The kind and name of a resource, by which it is unique. */
export function keyOf(resource: Resource): ResourceKey {
  return { kind: resource.kind, name: resourceName(resource) };
}

/** The same for equal keys alone. */
export function keyText({ kind, name }: { readonly kind: string; readonly name: string }): string {
  return `${kind} ${name}`;
}

/** The file of a `file:line:column`; any other location is its own file. */
export function fileOfLocation(location: string): string {
  return location.replace(/:\d+:\d+$/, '');
}

const described = ({ kind, name }: ResourceKey): string => describeResource(kind, name);

function desiredFor(resource: Resource, wish: { readonly origin: Origin; readonly specHash: string; readonly generation: number }): DesiredResource {
  switch (resource.kind) {
    case 'Container':
      return { name: resourceName(resource), container: resource, ...wish };
    case 'Network':
      return { name: resourceName(resource), network: resource, ...wish };
    case 'Volume':
      return { name: resourceName(resource), volume: resource, ...wish };
    case 'ConfigMap':
      return { name: resourceName(resource), configMap: resource, ...wish };
    case 'Secret':
      return { name: resourceName(resource), secret: resource, ...wish };
  }
}

const IMMUTABLE = { field: 'immutable', message: 'is true, so its data can not be changed; what it held stays in force', fix: 'delete it and declare it anew, or give the new one another name' } as const;

/** Whether a resource says of itself that it may not become what is asked for. */
function isRefused(current: DesiredResource, asked: Resource): boolean {
  const before = resourceOf(current);
  return 'immutable' in before && before.immutable && !isDeepStrictEqual(contentOf(before), contentOf(asked));
}

function foreignHolder(current: DesiredResource | undefined, source: SourceName): DesiredResource | undefined {
  return current?.origin.source === source ? undefined : current;
}

function refuseForeign(key: ResourceKey, holder: DesiredResource | undefined, verb: 'change' | 'delete'): void {
  if (holder === undefined) return;
  throw new MooringError('Conflict', `cannot ${verb} ${described(key)}: it belongs to source ${holder.origin.source} (${holder.origin.location})`, {
    fix: `${verb} it there, or use another name`,
  });
}

function claimedTwice({ resource, location }: Declared, source: SourceName, holder: DesiredResource): SpecProblem {
  const where = holder.origin.source === source ? holder.origin.location : `source ${holder.origin.source} (${holder.origin.location})`;
  const key = keyOf(resource);
  return {
    file: fileOfLocation(location),
    at: location,
    field: 'metadata.name',
    message: `${key.name} is already declared at ${where}, which stays in force`,
    fix: 'rename or delete one of the two',
    ...key,
  };
}

function toRecord(desired: DesiredResource): DesiredRecord {
  const { origin, generation, specHash } = desired;
  const resource = resourceOf(desired);
  return { ...keyOf(resource), source: origin.source, location: origin.location, generation, specHash, document: JSON.stringify(resource) };
}

function fromRecord(record: DesiredRecord, logger: Logger): DesiredResource {
  const { source, location, generation, specHash } = record;
  return desiredFor(readDocument(record, logger), { origin: { source, location }, specHash, generation });
}

function readDocument(record: DesiredRecord, logger: Logger): Resource {
  let document: unknown;
  try {
    document = JSON.parse(record.document);
  } catch (error) {
    throw new MooringError('Internal', `the stored document of desired ${described(record)} is not JSON: ${messageOf(error)}`, {
      fix: `restore db.sqlite from a backup; starting without the record would remove the ${record.kind.toLowerCase()}`,
      cause: error,
    });
  }
  // Parsed again, so that fields which this version added get their defaults.
  const parsed = schemaOf(record.kind).safeParse(document);
  if (parsed.success) return parsed.data;
  // A schema that became stricter must not unmake what was accepted under the former one: the source will speak, and be told.
  logger.warn({ kind: record.kind, name: record.name, location: record.location, problem: parsed.error.message }, 'a stored document does not validate any more; it stays in force');
  return document as Resource;
}
