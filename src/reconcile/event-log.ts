import type { EventRecord, EventRecords } from '../engine/store/event-records.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ResourceName } from '../spec/name.ts';
import type { ResourceKind } from '../spec/resource.ts';
import type { EventLog, MooringEvent } from './events.ts';

/** The same event within this time of its last occurrence raises that row's count instead of adding one. */
export const COALESCE_MS = 10 * 60 * 1000;

/** The event log over its records: coalesces repetitions, tells whoever listens. */
export function createEventLog(records: EventRecords, clock: Clock, logger: Logger): EventLog {
  const listeners = new Set<(event: MooringEvent) => void>();
  return {
    record({ name, kind = 'Container', ...event }) {
      const row = { ...event, name: name ?? null, kind: name === undefined ? null : kind };
      const now = clock.now();
      try {
        const same = records.latestSame(row);
        const kept = same && now - same.lastTime < COALESCE_MS ? records.repeat(same, now) : records.insert(row, now);
        const told = toEvent(kept);
        for (const listener of listeners) listener(told);
      } catch (error) {
        // What was done is done, whether or not it could be told: on a full disk the daemon goes on.
        logger.error({ err: error, ...row }, 'an event could not be recorded');
      }
    },
    list: ({ name, kind = 'Container' } = {}) => records.list(name === undefined ? undefined : { kind, name }).map(toEvent),
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function toEvent(row: EventRecord): MooringEvent {
  return {
    id: row.id,
    firstTime: new Date(row.firstTime).toISOString(),
    lastTime: new Date(row.lastTime).toISOString(),
    count: row.count,
    type: row.type as MooringEvent['type'],
    reason: row.reason,
    message: row.message,
    ...(row.name === null || row.kind === null ? {} : { name: row.name as ResourceName, kind: row.kind as ResourceKind }),
  };
}
