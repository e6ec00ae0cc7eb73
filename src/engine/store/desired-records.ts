import type { ResourceName } from '../../spec/name.ts';
import type { ResourceKind } from '../../spec/resource.ts';
import type { Database, Statement } from './database.ts';

/** One desired resource, as its row. */
export interface DesiredRecord<Source extends string> {
  readonly kind: ResourceKind;
  readonly name: ResourceName;
  readonly source: Source;
  readonly location: string;
  readonly generation: number;
  readonly specHash: string;
  /** The resource as JSON. */
  readonly document: string;
}

const COLUMNS = 'kind, name, source, location, generation, spec_hash, document';

/** The rows of the desired store. Which sources there are is its user's to know. */
export class DesiredRecords<Source extends string> {
  readonly #database: Database;
  readonly #list: Statement<DesiredRecord<Source>>;
  readonly #put: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#database = database;
    this.#list = database.prepare('SELECT kind, name, source, location, generation, spec_hash AS specHash, document FROM desired ORDER BY kind, name');
    this.#put = database.prepare(`INSERT OR REPLACE INTO desired (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
    this.#delete = database.prepare('DELETE FROM desired WHERE kind = ? AND name = ?');
  }

  list(): DesiredRecord<Source>[] {
    return this.#list.all();
  }

  /** Applies all of the changes, or none. */
  replace(changes: { readonly put: readonly DesiredRecord<Source>[]; readonly delete: readonly { readonly kind: ResourceKind; readonly name: ResourceName }[] }): void {
    this.#database.transaction(() => {
      for (const { kind, name } of changes.delete) this.#delete.run(kind, name);
      for (const row of changes.put) this.#put.run(row.kind, row.name, row.source, row.location, row.generation, row.specHash, row.document);
    });
  }
}
