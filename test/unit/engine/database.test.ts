import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { Database } from '../../../src/engine/store/database.ts';
import { DesiredRecords } from '../../../src/engine/store/desired-records.ts';
import { EventRecords } from '../../../src/engine/store/event-records.ts';
import { FactsRecords } from '../../../src/engine/store/facts-records.ts';
import { NetworkRecords } from '../../../src/engine/store/network-records.ts';
import { migrations } from '../../../src/engine/store/schema.ts';
import { VolumeRecords } from '../../../src/engine/store/volume-records.ts';
import { parseContainerName } from '../../../src/spec/name.ts';

const databaseModule = path.resolve(import.meta.dirname, '../../../src/engine/store/database.ts');

describe('the database', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mooring-db-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('says that the disk is full, and is whole when it is not any more', async () => {
    const database = await Database.open(folder);
    database.prepare('PRAGMA max_page_count = 1').get(); // SQLite takes what is used already for the least
    const insert = () => new EventRecords(database).insert({ type: 'Normal', reason: 'Started', message: 'x'.repeat(1 << 20), name: null, kind: null }, 0);
    assert.throws(() => database.transaction(insert), /database or disk is full/);
    database.prepare('PRAGMA max_page_count = 1000000').get();
    assert.equal(database.transaction(insert).count, 1);
    database.close();
  });

  it('is made from nothing at the newest schema', async () => {
    const dataDir = path.join(folder, 'not', 'there', 'yet');
    (await Database.open(dataDir)).close();
    const raw = new DatabaseSync(path.join(dataDir, 'db.sqlite'));
    assert.deepEqual({ ...raw.prepare('PRAGMA user_version').get() }, { user_version: migrations.length });
    const tables = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").all();
    assert.deepEqual(
      tables.map((table) => table['name']),
      ['addresses', 'build_cache', 'containers', 'desired', 'endpoints', 'events', 'facts', 'images', 'networks', 'tokens', 'volume_uses', 'volumes'],
    );
    raw.close();
  });

  it('keeps what was written when it is opened again', async () => {
    const first = await Database.open(folder);
    new FactsRecords<{ n: number }>(first).set(parseContainerName('web'), { n: 7 });
    first.close();
    const second = await Database.open(folder);
    assert.deepEqual(new FactsRecords<{ n: number }>(second).get(parseContainerName('web')), { n: 7 });
    second.close();
  });

  it('takes over what a Mooring of containers alone wrote', async () => {
    const old = new DatabaseSync(path.join(folder, 'db.sqlite'));
    for (const sql of migrations.slice(0, 3)) old.exec(sql);
    old.exec(`
      INSERT INTO containers VALUES ('${'a'.repeat(64)}', 'default/web', '{}', 'h', 'sha256:x', 'h', 1);
      INSERT INTO desired VALUES ('default/web', 'directory', 'web.yaml:1:1', 3, 'hash', '{"kind":"Container"}');
      INSERT INTO events (first_time, last_time, count, type, reason, message, name) VALUES (1, 2, 1, 'Normal', 'Started', 'm', 'default/web'), (1, 2, 1, 'Warning', 'SpecRejected', 'n', NULL);
      INSERT INTO networks VALUES ('default', '172.31.0.0/20', 'fd00::/64');
      INSERT INTO leases VALUES ('default', 2, '${'a'.repeat(64)}', NULL);
      PRAGMA user_version = 3;
    `);
    old.close();
    const db = await Database.open(folder);
    assert.deepEqual(new DesiredRecords<'directory'>(db).list().map((row) => ({ ...row })), [
      { kind: 'Container', name: 'default/web', source: 'directory', location: 'web.yaml:1:1', generation: 3, specHash: 'hash', document: '{"kind":"Container"}' },
    ]);
    const events = new EventRecords(db);
    assert.deepEqual(events.list().map(({ kind, name }) => [kind, name]), [['Container', 'default/web'], [null, null]]);
    assert.equal(events.list({ kind: 'Container', name: 'default/web' }).length, 1);
    assert.deepEqual(new VolumeRecords(db).list(), []);
    const [endpoint] = new NetworkRecords(db).endpoints();
    assert.deepEqual([endpoint?.network, endpoint?.v4, endpoint?.v6], ['default', 2n, 2n]);
    db.close();
  });

  it('refuses a file that a newer Mooring wrote, and leaves it alone', async () => {
    (await Database.open(folder)).close();
    const raw = new DatabaseSync(path.join(folder, 'db.sqlite'));
    raw.exec('PRAGMA user_version = 1000');
    raw.close();
    await assert.rejects(Database.open(folder), { name: 'MooringError', code: 'Unsupported', message: /schema version 1000; this Mooring knows up to/ });
    const again = new DatabaseSync(path.join(folder, 'db.sqlite'));
    assert.deepEqual({ ...again.prepare('PRAGMA user_version').get() }, { user_version: 1000 });
    again.close();
  });

  it('refuses a data directory that another process holds, and takes it once that process was killed', async () => {
    const script = `
      const { Database } = await import(${JSON.stringify(databaseModule)});
      const db = await Database.open(${JSON.stringify(folder)});
      process.stdout.write('open');
      setInterval(() => {}, 1000);
      globalThis.keep = db;`;
    const holder = execFile(process.execPath, ['--input-type=module', '-e', script]);
    await new Promise<void>((resolve, reject) => {
      holder.stdout?.once('data', () => resolve());
      holder.once('exit', (code) => reject(new Error(`holder ended early: ${code}`)));
    });
    await assert.rejects(Database.open(folder), { name: 'MooringError', code: 'Conflict', message: /is in use by another daemon/ });
    const gone = new Promise((resolve) => holder.once('exit', resolve));
    holder.kill('SIGKILL');
    await gone;
    (await Database.open(folder)).close();
  });

  it('keeps all of a transaction or nothing', async () => {
    const db = await Database.open(folder);
    const desired = new DesiredRecords<'directory'>(db);
    const row = { kind: 'Container' as const, name: parseContainerName('a'), source: 'directory' as const, location: 'a.yaml:1:1', generation: 1, specHash: 'h', document: '{}' };
    desired.replace({ put: [row], delete: [] });
    const broken = { ...row, name: parseContainerName('b'), document: null as unknown as string };
    assert.throws(() => desired.replace({ put: [{ ...row, generation: 2 }, broken], delete: [] }), /NOT NULL/);
    assert.deepEqual(desired.list().map((each) => ({ ...each })), [row]);
    desired.replace({ put: [{ ...row, name: parseContainerName('c') }], delete: [row] });
    assert.deepEqual(desired.list().map((each) => each.name), ['default/c']);
    db.close();
  });

  it('keeps only the newest events', async () => {
    const db = await Database.open(folder);
    const events = new EventRecords(db, 3);
    for (let n = 1; n <= 5; n++) events.insert({ type: 'Normal', reason: 'R', message: `m${n}`, name: n % 2 ? 'default/odd' : null, kind: n % 2 ? 'Container' : null }, n);
    assert.deepEqual(events.list().map((row) => row.message), ['m3', 'm4', 'm5']);
    assert.deepEqual(events.list({ kind: 'Container', name: 'default/odd' }).map((row) => row.message), ['m3', 'm5']);
    db.close();
  });

  it('can be used by the sqlite shell after a close', async () => {
    (await Database.open(folder)).close();
    const check = `const { DatabaseSync } = require('node:sqlite'); console.log(new DatabaseSync(process.argv[1]).prepare('PRAGMA integrity_check').get().integrity_check)`;
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', check, path.join(folder, 'db.sqlite')]);
    assert.equal(stdout.trim(), 'ok');
  });
});
