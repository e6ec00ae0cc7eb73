import type { ContainerName } from '../../spec/name.ts';
import type { Database, Statement } from './database.ts';

/**
 * One JSON document a container name, for whoever remembers things beyond what the kernel can tell. The shape `T` is its user's:
 * this room only keeps it. A document that an older Mooring wrote comes back as it was written.
 */
export class FactsRecords<T> {
  readonly #get: Statement<{ readonly document: string }>;
  readonly #names: Statement<{ readonly name: ContainerName }>;
  readonly #set: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#get = database.prepare('SELECT document FROM facts WHERE name = ?');
    this.#names = database.prepare('SELECT name FROM facts ORDER BY name');
    this.#set = database.prepare('INSERT OR REPLACE INTO facts (name, document) VALUES (?, ?)');
    this.#delete = database.prepare('DELETE FROM facts WHERE name = ?');
  }

  get(name: ContainerName): T | undefined {
    const row = this.#get.get(name);
    return row && (JSON.parse(row.document) as T);
  }

  /** Every name that a document is kept of. */
  names(): ContainerName[] {
    return this.#names.all().map((row) => row.name);
  }

  set(name: ContainerName, document: T): void {
    this.#set.run(name, JSON.stringify(document));
  }

  delete(name: ContainerName): void {
    this.#delete.run(name);
  }
}
