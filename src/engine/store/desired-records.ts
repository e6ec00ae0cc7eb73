import type { Database, Statement } from './database.ts';

/** One desired resource, as its row. */
export interface DesiredRecord {
  /** `namespace/name`. */
  readonly name: string;
  readonly source: string;
  readonly location: string;
  readonly generation: number;
  readonly specHash: string;
  /** The Container as JSON. */
  readonly document: string;
}

const COLUMNS = 'name, source, location, generation, spec_hash, document';

export class DesiredRecords {
  readonly #database: Database;
  readonly #list: Statement<DesiredRecord>;
  readonly #put: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#list = database.prepare('SELECT name, source, location, generation, spec_hash AS specHash, document FROM desired ORDER BY name');
    this.#put = database.prepare(`INSERT OR REPLACE INTO desired (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#delete = database.prepare('DELETE FROM desired WHERE name = ?');
  }

  list(): DesiredRecord[] {
    return this.#list.all();
  }

  /** Applies all of the changes, or none. */
  replace(changes: { readonly put: readonly DesiredRecord[]; readonly delete: readonly string[] }): void {
    this.#database.transaction(() => {
      for (const name of changes.delete) this.#delete.run(name);
      for (const row of changes.put) this.#put.run(row.name, row.source, row.location, row.generation, row.specHash, row.document);
    });
  }
}
