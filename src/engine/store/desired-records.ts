import type { ContainerName } from '../../spec/name.ts';
import type { Database, Statement } from './database.ts';

/** One desired resource, as its row. */
export interface DesiredRecord<Source extends string> {
  readonly name: ContainerName;
  readonly source: Source;
  readonly location: string;
  readonly generation: number;
  readonly specHash: string;
  /** The Container as JSON. */
  readonly document: string;
}

const COLUMNS = 'name, source, location, generation, spec_hash, document';

/** The rows of the desired store. Which sources there are is its user's to know. */
export class DesiredRecords<Source extends string> {
  readonly #database: Database;
  readonly #list: Statement<DesiredRecord<Source>>;
  readonly #put: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#list = database.prepare('SELECT name, source, location, generation, spec_hash AS specHash, document FROM desired ORDER BY name');
    this.#put = database.prepare(`INSERT OR REPLACE INTO desired (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`);
    this.#delete = database.prepare('DELETE FROM desired WHERE name = ?');
  }

  list(): DesiredRecord<Source>[] {
    return this.#list.all();
  }

  /** Applies all of the changes, or none. */
  replace(changes: { readonly put: readonly DesiredRecord<Source>[]; readonly delete: readonly ContainerName[] }): void {
    this.#database.transaction(() => {
      for (const name of changes.delete) this.#delete.run(name);
      for (const row of changes.put) this.#put.run(row.name, row.source, row.location, row.generation, row.specHash, row.document);
    });
  }
}
