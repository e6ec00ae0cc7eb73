import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { Database } from '../../../src/engine/store/database.ts';
import { EventRecords } from '../../../src/engine/store/event-records.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { createLogger } from '../../../src/lib/logger.ts';
import { COALESCE_MS, createEventLog } from '../../../src/reconcile/event-log.ts';
import type { MooringEvent } from '../../../src/reconcile/events.ts';
import { parseContainerName } from '../../../src/spec/name.ts';

describe('the event log', () => {
  let folder: string;
  let database: Database;
  let now: number;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'mooring-events-'));
    database = await Database.open(folder);
    now = Date.UTC(2026, 0, 1);
  });
  afterEach(async () => {
    database.close();
    await rm(folder, { recursive: true });
  });

  const name = parseContainerName('web');
  const log = () => createEventLog(new EventRecords(database), { ...systemClock, now: () => now }, createLogger('silent'));

  it('counts a repetition in the row that is there, also after a restart', () => {
    log().record({ type: 'Warning', reason: 'BackOff', message: 'again', name });
    now += COALESCE_MS - 1;
    log().record({ type: 'Warning', reason: 'BackOff', message: 'again', name });
    const [event, ...rest] = log().list();
    assert.deepEqual(rest, []);
    assert.equal(event?.count, 2);
    assert.equal(event.firstTime, '2026-01-01T00:00:00.000Z');
    assert.equal(event.lastTime, new Date(now).toISOString());
  });

  it('starts a new row after a pause, and for any other name, reason or message', () => {
    const events = log();
    const event = { type: 'Normal', reason: 'Started', message: 'm', name } as const;
    events.record(event);
    now += COALESCE_MS;
    events.record(event);
    events.record({ ...event, name: parseContainerName('other') });
    events.record({ ...event, reason: 'Created' });
    events.record({ ...event, message: 'n' });
    events.record({ type: 'Normal', reason: 'Started', message: 'm' });
    assert.deepEqual(events.list().map((row) => row.count), [1, 1, 1, 1, 1, 1]);
    assert.equal(events.list({ name }).length, 4);
    assert.equal('name' in (events.list().at(-1) ?? {}), false);
  });

  it('goes on when the disk is full, and again when it is not', () => {
    const events = log();
    database.prepare('PRAGMA max_page_count = 1').get(); // SQLite takes what is used already for the least
    const message = 'x'.repeat(1 << 20);
    events.record({ type: 'Normal', reason: 'Started', message });
    assert.deepEqual(events.list(), []);
    database.prepare('PRAGMA max_page_count = 1000000').get();
    events.record({ type: 'Normal', reason: 'Started', message });
    assert.equal(events.list().length, 1);
  });

  it('tells listeners, until they leave', () => {
    const events = log();
    const heard: MooringEvent[] = [];
    const leave = events.subscribe((event) => heard.push(event));
    events.record({ type: 'Normal', reason: 'Started', message: 'm', name });
    events.record({ type: 'Normal', reason: 'Started', message: 'm', name });
    leave();
    events.record({ type: 'Normal', reason: 'Started', message: 'm', name });
    assert.deepEqual(heard.map((event) => event.count), [1, 2]);
  });
});
