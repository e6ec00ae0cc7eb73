import type { Database, Statement } from './database.ts';

/** A token of the API. Of its secret there is the SHA-256 alone. */
export interface TokenRecord<Scope> {
  readonly name: string;
  readonly hash: string;
  readonly scope: Scope;
  readonly createdAt: number;
}

interface Row {
  readonly name: string;
  readonly hash: string;
  readonly scope: string;
  readonly created_at: number;
}

export class TokenRecords<Scope> {
  readonly #get: Statement<Row>;
  readonly #find: Statement<Row>;
  readonly #list: Statement<Row>;
  readonly #add: Statement<never>;
  readonly #delete: Statement<never>;

  constructor(database: Database) {
    this.#get = database.prepare('SELECT name, hash, scope, created_at FROM tokens WHERE name = ?');
    this.#find = database.prepare('SELECT name, hash, scope, created_at FROM tokens WHERE hash = ?');
    this.#list = database.prepare('SELECT name, hash, scope, created_at FROM tokens ORDER BY name');
    this.#add = database.prepare('INSERT INTO tokens (name, hash, scope, created_at) VALUES (?, ?, ?, ?)');
    this.#delete = database.prepare('DELETE FROM tokens WHERE name = ?');
  }

  get(name: string): TokenRecord<Scope> | undefined {
    return toRecord(this.#get.get(name));
  }

  find(hash: string): TokenRecord<Scope> | undefined {
    return toRecord(this.#find.get(hash));
  }

  list(): TokenRecord<Scope>[] {
    return this.#list.all().map((row) => toRecord<Scope>(row));
  }

  add({ name, hash, scope, createdAt }: TokenRecord<Scope>): void {
    this.#add.run(name, hash, JSON.stringify(scope), createdAt);
  }

  delete(name: string): void {
    this.#delete.run(name);
  }
}

function toRecord<Scope>(row: Row): TokenRecord<Scope>;
function toRecord<Scope>(row: Row | undefined): TokenRecord<Scope> | undefined;
function toRecord<Scope>(row: Row | undefined): TokenRecord<Scope> | undefined {
  return row && { name: row.name, hash: row.hash, scope: JSON.parse(row.scope) as Scope, createdAt: row.created_at };
}
