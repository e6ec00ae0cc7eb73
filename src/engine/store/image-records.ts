import type { Database, Statement } from './database.ts';

/** What a name in the image store stands for. Digests are `sha256:<hex>`. */
export interface ImageRecord {
  /** Normalised reference: `mooring.local/busybox:latest`. */
  readonly name: string;
  /** Digest of the config blob. */
  readonly imageId: string;
  readonly manifestDigest: string;
  /** What the registry called it when it was pulled or pushed: the manifest's digest, or its index's. Null for what came another way. */
  readonly repoDigest: string | null;
  /** Chain IDs of its unpacked layers, bottom first (OCI image spec, config.md, "Layer ChainID"). */
  readonly chainIds: readonly string[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

interface Row {
  readonly name: string;
  readonly image_id: string;
  readonly manifest_digest: string;
  readonly repo_digest: string | null;
  readonly chain_ids: string;
  readonly created_at: number;
}

const COLUMNS = 'name, image_id, manifest_digest, repo_digest, chain_ids, created_at';

export class ImageRecords {
  readonly #get: Statement<Row>;
  readonly #list: Statement<Row>;
  readonly #put: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#get = database.prepare(`SELECT ${COLUMNS} FROM images WHERE name = ?`);
    this.#list = database.prepare(`SELECT ${COLUMNS} FROM images ORDER BY name`);
    this.#put = database.prepare(`INSERT OR REPLACE INTO images (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#delete = database.prepare('DELETE FROM images WHERE name = ?');
  }

  get(name: string): ImageRecord | undefined {
    const row = this.#get.get(name);
    return row && toRecord(row);
  }

  list(): ImageRecord[] {
    return this.#list.all().map(toRecord);
  }

  put(record: ImageRecord): void {
    this.#put.run(record.name, record.imageId, record.manifestDigest, record.repoDigest, JSON.stringify(record.chainIds), record.createdAt);
  }

  delete(name: string): void {
    this.#delete.run(name);
  }
}

function toRecord(row: Row): ImageRecord {
  return {
    name: row.name,
    imageId: row.image_id,
    manifestDigest: row.manifest_digest,
    repoDigest: row.repo_digest,
    chainIds: JSON.parse(row.chain_ids) as string[],
    createdAt: row.created_at,
  };
}
