import { type Container, containerSchema } from '../../spec/container.ts';
import { type ContainerName, containerName } from '../../spec/name.ts';
import type { ConfigDigests } from '../config.ts';
import type { ContainerId } from '../engine.ts';
import type { Database, Statement } from './database.ts';

/** A container that was made, whether or not it runs. The record comes first and goes last, so whatever bears an id without one is litter. */
export interface ContainerRecord {
  readonly id: ContainerId;
  readonly name: ContainerName;
  /** The document that it was made from. */
  readonly container: Container;
  readonly specHash: string;
  /** Digest of the image's config. */
  readonly imageId: string;
  /** SHA-256, in hexadecimal, of the bundle's config.json as it was last written: a later Mooring would write another, and that is no drift. */
  readonly configHash: string;
  /** What it was given of ConfigMaps and Secrets; undefined where its spec asks for nothing of them. */
  readonly config?: RecordedConfig;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface RecordedConfig {
  readonly digests: ConfigDigests;
  /** The folders that its mounts show. */
  readonly folders: readonly { readonly mountPath: string; readonly folder: string }[];
}

interface Row {
  readonly id: string;
  readonly document: string;
  readonly spec_hash: string;
  readonly image_id: string;
  readonly config_hash: string;
  readonly config: string | null;
  readonly created_at: number;
}

export class ContainerRecords {
  readonly #list: Statement<Row>;
  readonly #users: Statement<{ readonly name: string; readonly image_id: string }>;
  readonly #insert: Statement<never>;
  readonly #setConfigHash: Statement<never>;
  readonly #change: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#list = database.prepare('SELECT id, document, spec_hash, image_id, config_hash, config, created_at FROM containers ORDER BY created_at, id');
    this.#users = database.prepare('SELECT name, image_id FROM containers ORDER BY created_at, id');
    this.#insert = database.prepare(
      'INSERT INTO containers (id, name, document, spec_hash, image_id, config_hash, config, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#setConfigHash = database.prepare('UPDATE containers SET config_hash = ? WHERE id = ?');
    this.#change = database.prepare('UPDATE containers SET document = ?, spec_hash = ? WHERE id = ?');
    this.#delete = database.prepare('DELETE FROM containers WHERE id = ?');
  }

  /** All records, oldest first. */
  list(): ContainerRecord[] {
    return this.#list.all().map((row) => {
      const container = completed(JSON.parse(row.document) as Container);
      return {
        id: row.id as ContainerId,
        name: containerName(container.metadata),
        container,
        specHash: row.spec_hash,
        imageId: row.image_id,
        configHash: row.config_hash,
        ...(row.config !== null && { config: JSON.parse(row.config) as RecordedConfig }),
        createdAt: row.created_at,
      };
    });
  }

  /** Of all records what images are asked for: who is made from them. Documents cost a hundred times as much to read. */
  users(): { readonly name: string; readonly imageId: string }[] {
    return this.#users.all().map(({ name, image_id }) => ({ name, imageId: image_id }));
  }

  insert(record: ContainerRecord): void {
    const { id, name, container, specHash, imageId, configHash, config, createdAt } = record;
    this.#insert.run(id, name, JSON.stringify(container), specHash, imageId, configHash, config === undefined ? null : JSON.stringify(config), createdAt);
  }

  setConfigHash(id: ContainerId, configHash: string): void {
    this.#setConfigHash.run(configHash, id);
  }

  /** Puts another document in the place of the one that it was made from. */
  change(id: ContainerId, container: Container, specHash: string): void {
    this.#change.run(JSON.stringify(container), specHash, id);
  }

  delete(id: ContainerId): void {
    this.#delete.run(id);
  }
}

/** With the fields that a Mooring before this one did not know. What this one would refuse stays as it is: it runs. */
function completed(container: Container): Container {
  const parsed = containerSchema.safeParse(container);
  return parsed.success ? parsed.data : container;
}
