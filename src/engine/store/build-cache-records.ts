import type { Database, Statement } from './database.ts';

/** What a build step made: the same key makes the same again. */
export interface BuildCacheRecord {
  /** SHA-256 over everything that the step depends on, in hexadecimal digits. */
  readonly key: string;
  /** `sha256:<hex>`, of the layer's archive, which is its diff ID, too. */
  readonly diffId: string;
  readonly chainId: string;
  /** Bytes of the archive. */
  readonly size: number;
  /** The instruction, for people. */
  readonly description: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly usedAt: number;
}

interface Row {
  readonly key: string;
  readonly diff_id: string;
  readonly chain_id: string;
  readonly size: number;
  readonly description: string;
  readonly created_at: number;
  readonly used_at: number;
}

const COLUMNS = 'key, diff_id, chain_id, size, description, created_at, used_at';

export class BuildCacheRecords {
  readonly #get: Statement<Row>;
  readonly #list: Statement<Row>;
  readonly #put: Statement<never>;
  readonly #use: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#get = database.prepare(`SELECT ${COLUMNS} FROM build_cache WHERE key = ?`);
    this.#list = database.prepare(`SELECT ${COLUMNS} FROM build_cache ORDER BY used_at`);
    this.#put = database.prepare(`INSERT OR REPLACE INTO build_cache (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#use = database.prepare('UPDATE build_cache SET used_at = ? WHERE key = ?');
    this.#delete = database.prepare('DELETE FROM build_cache WHERE key = ?');
  }

  get(key: string): BuildCacheRecord | undefined {
    const row = this.#get.get(key);
    return row && toRecord(row);
  }

  /** Those that were not used for the longest time first. */
  list(): BuildCacheRecord[] {
    return this.#list.all().map(toRecord);
  }

  put({ key, diffId, chainId, size, description, createdAt, usedAt }: BuildCacheRecord): void {
    this.#put.run(key, diffId, chainId, size, description, createdAt, usedAt);
  }

  use(key: string, now: number): void {
    this.#use.run(now, key);
  }

  delete(key: string): void {
    this.#delete.run(key);
  }
}

function toRecord(row: Row): BuildCacheRecord {
  return { key: row.key, diffId: row.diff_id, chainId: row.chain_id, size: row.size, description: row.description, createdAt: row.created_at, usedAt: row.used_at };
}
