import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import { migrations } from './schema.ts';

/** How long opening waits for a daemon that is just ending to let go of the data directory. */
const LOCK_WAIT_MS = 2_000;

/** SQLITE_BUSY (https://sqlite.org/rescode.html#busy). */
const SQLITE_BUSY = 5;

/** A prepared statement whose rows are known, by the schema's STRICT tables, to be of type `Row`. */
export interface Statement<Row> {
  get(...values: SQLInputValue[]): Row | undefined;
  all(...values: SQLInputValue[]): Row[];
  run(...values: SQLInputValue[]): { readonly changes: number | bigint; readonly lastInsertRowid: number | bigint };
}

/**
 * The one SQLite file of a data directory. Opening it takes the directory: it stays locked against every other process until
 * `close`, or until this process ends in whatever way. A commit survives the death of the daemon at any instant; the last ones
 * may be lost when the machine's power fails (WAL with `synchronous = NORMAL`), the file never.
 */
export class Database {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * Opens `<dataDir>/db.sqlite`, making it and the directory where they are missing, and brings its schema up to date.
   * Throws `Conflict` while another process holds the directory, `Unsupported` where a newer Mooring has written it.
   */
  static async open(dataDir: string): Promise<Database> {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    const file = path.join(dataDir, 'db.sqlite');
    await makePrivate(file);
    const db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS, enableForeignKeyConstraints: true });
    try {
      // With EXCLUSIVE the first read of a WAL database takes a lock that is never given back: that is the directory's lock.
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      migrate(db, file);
      return new Database(db);
    } catch (error) {
      db.close();
      if (isBusy(error)) {
        throw new MooringError('Conflict', `data directory ${dataDir} is in use by another daemon`, {
          fix: 'stop that daemon, or give this one its own --data-dir, --run-dir and --instance',
          cause: error,
        });
      }
      throw error;
    }
  }

  prepare<Row = never>(sql: string): Statement<Row> {
    return this.#db.prepare(sql) as unknown as Statement<Row>;
  }

  /** Runs `work` in one transaction: all of its writes are kept, or none if it throws. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // Of some failures, a full disk among them, SQLite rolls back by itself (https://sqlite.org/lang_transaction.html).
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Gives the data directory back. Nothing prepared may be used after. */
  close(): void {
    this.#db.close();
  }
}

function migrate(db: DatabaseSync, file: string): void {
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > migrations.length) {
    throw new MooringError('Unsupported', `${file} has schema version ${version}; this Mooring knows up to ${migrations.length}`, {
      fix: 'run the newer Mooring that wrote it, or start with another --data-dir',
    });
  }
  for (const [step, sql] of migrations.entries()) {
    if (step < version) continue;
    // The version is set in the same transaction as the step: being killed here leaves the one before, whole.
    db.exec(`BEGIN IMMEDIATE; ${sql}; PRAGMA user_version = ${step + 1}; COMMIT`);
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === SQLITE_BUSY;
}

/** It holds Secrets, whatever the mode of the folder that it is in; SQLite gives its log the mode of the database. Never opened where it is there: a close would let go of this process's locks. */
async function makePrivate(file: string): Promise<void> {
  try {
    await writeFile(file, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  for (const each of [file, `${file}-wal`]) {
    try {
      await chmod(each, 0o600);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
