import { isDeepStrictEqual } from 'node:util';
import type { DesiredRecord as Row, DesiredRecords } from '../engine/store/desired-records.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { containerSchema, type Container, type ContainerSpec } from '../spec/container.ts';
import { containerName, type ContainerName } from '../spec/name.ts';
import type { SpecProblem } from '../spec/problem.ts';
import type { Declared, DesiredContainer, DesiredStore, SourceName } from './desired.ts';

type DesiredRecord = Row<SourceName>;

export interface DesiredStoreOptions {
  readonly records: Pick<DesiredRecords<SourceName>, 'list' | 'replace'>;
  /** Hash over the canonical, defaulted spec. */
  readonly hashSpec: (spec: ContainerSpec) => string;
  readonly logger: Logger;
}

/**
 * Opens the merged desired state of all sources. What the records hold is desired from the start, before any source has spoken.
 * A failing write throws what the records throw and leaves the desired state as it was.
 */
export function openDesiredStore(options: DesiredStoreOptions): DesiredStore {
  const { records, hashSpec, logger } = options;
  const held = new Map<ContainerName, DesiredContainer>();
  for (const record of records.list()) held.set(record.name, fromRecord(record, logger));
  const listeners = new Set<(changed: readonly ContainerName[]) => void>();

  /** What the store would hold for `declared`: the very object it holds now when nothing differs. */
  function accepted(source: SourceName, name: ContainerName, { container, location }: Declared): DesiredContainer {
    const current = held.get(name);
    const origin = { source, location };
    if (current === undefined) return { name, container, origin, specHash: hashSpec(container.spec), generation: 1 };
    // Specs are compared, not hashes: a later version that hashes otherwise must not make every container anew.
    if (!isDeepStrictEqual(current.container.spec, container.spec))
      return { name, container, origin, specHash: hashSpec(container.spec), generation: current.generation + 1 };
    if (isDeepStrictEqual(current.container, container) && isDeepStrictEqual(current.origin, origin)) return current;
    return { ...current, container, origin };
  }

  function commit(wanted: readonly DesiredContainer[], removed: readonly ContainerName[]): void {
    const put = wanted.filter((desired) => held.get(desired.name) !== desired);
    if (put.length === 0 && removed.length === 0) return;
    records.replace({ put: put.map(toRecord), delete: removed });
    for (const name of removed) held.delete(name);
    for (const desired of put) held.set(desired.name, desired);
    tell([...put.map((desired) => desired.name), ...removed]);
  }

  function tell(changed: readonly ContainerName[]): void {
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
    get: (name) => held.get(name),
    list: () => [...held.values()],
    listSource: (source) => [...held.values()].filter((desired) => desired.origin.source === source),

    replaceSource(source, declared) {
      const wanted = new Map<ContainerName, DesiredContainer>();
      const problems: SpecProblem[] = [];
      for (const item of declared) {
        const name = containerName(item.container.metadata);
        const holder = wanted.get(name) ?? foreignHolder(held.get(name), source);
        if (holder === undefined) wanted.set(name, accepted(source, name, item));
        else problems.push(claimedTwice(name, item.location, source, holder));
      }
      const removed = [...held.values()].filter((desired) => desired.origin.source === source && !wanted.has(desired.name));
      commit(
        [...wanted.values()],
        removed.map((desired) => desired.name),
      );
      return problems;
    },

    apply(source, declared) {
      const wanted = new Map<ContainerName, DesiredContainer>();
      for (const item of declared) {
        const name = containerName(item.container.metadata);
        if (wanted.has(name)) throw new MooringError('Invalid', `container ${name} is given twice in one request`, { at: item.location });
        refuseForeign(name, foreignHolder(held.get(name), source), 'change');
        wanted.set(name, accepted(source, name, item));
      }
      const result = [...wanted.values()];
      commit(result, []);
      return result;
    },

    delete(source, name) {
      const current = held.get(name);
      if (current === undefined) throw new MooringError('NotFound', `container ${name} is not desired by any source`);
      refuseForeign(name, foreignHolder(current, source), 'delete');
      commit([], [name]);
    },

    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function foreignHolder(current: DesiredContainer | undefined, source: SourceName): DesiredContainer | undefined {
  return current?.origin.source === source ? undefined : current;
}

function refuseForeign(name: ContainerName, holder: DesiredContainer | undefined, verb: 'change' | 'delete'): void {
  if (holder === undefined) return;
  throw new MooringError('Conflict', `cannot ${verb} container ${name}: it belongs to source ${holder.origin.source} (${holder.origin.location})`, {
    fix: `${verb} it there, or use another name`,
  });
}

function claimedTwice(name: ContainerName, location: string, source: SourceName, holder: DesiredContainer): SpecProblem {
  const where = holder.origin.source === source ? holder.origin.location : `source ${holder.origin.source} (${holder.origin.location})`;
  return {
    file: fileOfLocation(location),
    at: location,
    field: 'metadata.name',
    message: `${name} is already declared at ${where}, which stays in force`,
    fix: 'rename or delete one of the two',
    name,
  };
}

/** The file of a `file:line:column`; any other location is its own file. */
export function fileOfLocation(location: string): string {
  return location.replace(/:\d+:\d+$/, '');
}

function toRecord({ name, origin, generation, specHash, container }: DesiredContainer): DesiredRecord {
  return { name, source: origin.source, location: origin.location, generation, specHash, document: JSON.stringify(container) };
}

function fromRecord(record: DesiredRecord, logger: Logger): DesiredContainer {
  const { name, source, location, generation, specHash } = record;
  return { name, container: readDocument(record, logger), origin: { source, location }, specHash, generation };
}

function readDocument(record: DesiredRecord, logger: Logger): Container {
  let document: unknown;
  try {
    document = JSON.parse(record.document);
  } catch (error) {
    throw new MooringError('Internal', `the stored document of desired container ${record.name} is not JSON: ${messageOf(error)}`, {
      fix: 'restore db.sqlite from a backup; starting without the record would remove the container',
      cause: error,
    });
  }
  // Parsed again, so that fields which this version added get their defaults.
  const parsed = containerSchema.safeParse(document);
  if (parsed.success) return parsed.data;
  // A schema that became stricter must not unmake what was accepted under the former one: the source will speak, and be told.
  logger.warn({ name: record.name, location: record.location, problem: parsed.error.message }, 'a stored document does not validate any more; it stays in force');
  return document as Container;
}
