import type { Database, Statement } from './database.ts';

/** One row of the event log. Times are milliseconds since the epoch. */
export interface EventRecord {
  readonly id: number;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly count: number;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** `namespace/name`, or null for what concerns no single resource. */
  readonly name: string | null;
  /** What that is the name of. */
  readonly kind: string | null;
}

export type NewEvent = Pick<EventRecord, 'type' | 'reason' | 'message' | 'name' | 'kind'>;

const COLUMNS = 'id, first_time AS firstTime, last_time AS lastTime, count, type, reason, message, name, kind';

/** The event log's rows, of which only the newest `capacity` are kept. */
export class EventRecords {
  readonly #capacity: number;
  readonly #list: Statement<EventRecord>;
  readonly #listOf: Statement<EventRecord>;
  readonly #same: Statement<EventRecord>;
  readonly #insert: Statement<never>;
  readonly #repeat: Statement<never>;
  readonly #trim: Statement<never>;

  constructor(database: Database, capacity = 10_000) {
    this.#capacity = capacity;
    this.#list = database.prepare(`SELECT ${COLUMNS} FROM events ORDER BY id`);
    this.#listOf = database.prepare(`SELECT ${COLUMNS} FROM events WHERE kind = ? AND name = ? ORDER BY id`);
    this.#same = database.prepare(
      `SELECT ${COLUMNS} FROM events WHERE kind IS ? AND name IS ? AND reason = ? AND message = ? AND type = ? ORDER BY id DESC LIMIT 1`,
    );
    this.#insert = database.prepare('INSERT INTO events (first_time, last_time, count, type, reason, message, name, kind) VALUES (?1, ?1, 1, ?2, ?3, ?4, ?5, ?6)');
    this.#repeat = database.prepare('UPDATE events SET count = count + 1, last_time = ? WHERE id = ?');
    this.#trim = database.prepare('DELETE FROM events WHERE id <= ?');
  }

  /** Oldest first; of one resource, or of all. */
  list(of?: { readonly kind: string; readonly name: string }): EventRecord[] {
    return of === undefined ? this.#list.all() : this.#listOf.all(of.kind, of.name);
  }

  /** The newest row that says just this, if any. */
  latestSame(event: NewEvent): EventRecord | undefined {
    return this.#same.get(event.kind, event.name, event.reason, event.message, event.type);
  }

  insert(event: NewEvent, time: number): EventRecord {
    const { lastInsertRowid } = this.#insert.run(time, event.type, event.reason, event.message, event.name, event.kind);
    const id = Number(lastInsertRowid);
    this.#trim.run(id - this.#capacity);
    return { id, firstTime: time, lastTime: time, count: 1, ...event };
  }

  /** Counts one more occurrence of a row that is there. */
  repeat(row: EventRecord, time: number): EventRecord {
    this.#repeat.run(time, row.id);
    return { ...row, count: row.count + 1, lastTime: time };
  }
}
