import type { ContainerName, VolumeName } from '../../spec/name.ts';
import type { Volume } from '../../spec/volume.ts';
import type { ContainerId } from '../engine.ts';
import type { Database, Statement } from './database.ts';

/** A volume that was made. The record comes first and goes last. */
export interface VolumeRecord {
  readonly name: VolumeName;
  /** The document that it was made from. */
  readonly volume: Volume;
  /** Its folder below `<data-dir>/volumes`. */
  readonly folder: string;
  /** The container whose own it is, and where that has it. */
  readonly owner: { readonly container: ContainerName; readonly mountPath: string } | undefined;
  /** Nobody wants it any more, and its data is kept. */
  readonly released: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** A container that has a volume. It ends with the container's record. */
export interface VolumeUse {
  readonly containerId: ContainerId;
  readonly mountPath: string;
  readonly volume: VolumeName;
  /** It was not made ready for this container yet. */
  readonly fresh: boolean;
  /** What the image has there is to be copied into it before its first use, if it is empty. */
  readonly copies: boolean;
}

interface Row {
  readonly name: VolumeName;
  readonly document: string;
  readonly folder: string;
  readonly owner: ContainerName | null;
  readonly mount_path: string | null;
  readonly released: number;
  readonly created_at: number;
}

const COLUMNS = 'name, document, folder, owner, mount_path, released, created_at';

export class VolumeRecords {
  readonly #get: Statement<Row>;
  readonly #list: Statement<Row>;
  readonly #ownedBy: Statement<Row>;
  readonly #put: Statement<never>;
  readonly #delete: Statement<never>;
  readonly #use: Statement<never>;
  readonly #prepared: Statement<never>;
  readonly #usesOf: Statement<{ readonly container_id: ContainerId; readonly mount_path: string; readonly volume: VolumeName; readonly fresh: number; readonly copies: number }>;
  readonly #users: Statement<{ readonly id: ContainerId; readonly name: ContainerName }>;

  constructor(database: Database) {
    this.#get = database.prepare(`SELECT ${COLUMNS} FROM volumes WHERE name = ?`);
    this.#list = database.prepare(`SELECT ${COLUMNS} FROM volumes ORDER BY name`);
    this.#ownedBy = database.prepare(`SELECT ${COLUMNS} FROM volumes WHERE owner = ?`);
    this.#put = database.prepare(
      `INSERT INTO volumes (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET document = excluded.document, released = excluded.released`,
    );
    this.#delete = database.prepare('DELETE FROM volumes WHERE name = ?');
    this.#use = database.prepare('INSERT INTO volume_uses (container_id, mount_path, volume, fresh, copies) VALUES (?, ?, ?, 1, ?)');
    this.#prepared = database.prepare('UPDATE volume_uses SET fresh = 0 WHERE container_id = ? AND mount_path = ?');
    this.#usesOf = database.prepare('SELECT container_id, mount_path, volume, fresh, copies FROM volume_uses WHERE container_id = ? ORDER BY mount_path');
    this.#users = database.prepare('SELECT DISTINCT containers.id, containers.name FROM volume_uses JOIN containers ON containers.id = container_id WHERE volume = ? ORDER BY containers.name');
  }

  get(name: VolumeName): VolumeRecord | undefined {
    const row = this.#get.get(name);
    return row && toRecord(row);
  }

  list(): VolumeRecord[] {
    return this.#list.all().map(toRecord);
  }

  ownedBy(container: ContainerName): VolumeRecord[] {
    return this.#ownedBy.all(container).map(toRecord);
  }

  /** Adds the record, or changes the document and whether it is released. */
  put({ name, volume, folder, owner, released, createdAt }: VolumeRecord): void {
    this.#put.run(name, JSON.stringify(volume), folder, owner?.container ?? null, owner?.mountPath ?? null, released ? 1 : 0, createdAt);
  }

  /** Throws while a container has it: the database itself holds that. */
  delete(name: VolumeName): void {
    this.#delete.run(name);
  }

  use({ containerId, mountPath, volume, copies }: Omit<VolumeUse, 'fresh'>): void {
    this.#use.run(containerId, mountPath, volume, copies ? 1 : 0);
  }

  /** It was made ready for the container. */
  prepared(containerId: ContainerId, mountPath: string): void {
    this.#prepared.run(containerId, mountPath);
  }

  usesOf(containerId: ContainerId): VolumeUse[] {
    return this.#usesOf.all(containerId).map((row) => ({ containerId: row.container_id, mountPath: row.mount_path, volume: row.volume, fresh: row.fresh === 1, copies: row.copies === 1 }));
  }

  /** Containers that have the volume. */
  users(name: VolumeName): { readonly id: ContainerId; readonly name: ContainerName }[] {
    return this.#users.all(name);
  }
}

function toRecord({ name, document, folder, owner, mount_path, released, created_at }: Row): VolumeRecord {
  return {
    name,
    volume: JSON.parse(document) as Volume,
    folder,
    owner: owner === null || mount_path === null ? undefined : { container: owner, mountPath: mount_path },
    released: released === 1,
    createdAt: created_at,
  };
}
