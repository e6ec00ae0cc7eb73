import type { DockerClient } from '../../docker/docker-client.ts';
import { filtersOf, queryOf } from '../../docker/filters.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { printable } from '../../output/table.ts';
import { parseSince } from '../../since.ts';
import { renderTemplate } from '../../template/template.ts';

interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Readonly<Record<string, string>> | null };
  /** Nanoseconds since the epoch; the last few hundred are lost in JSON. */
  readonly timeNano: number;
}

export interface EngineEventsFlags {
  readonly filter?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly format?: string;
}

/** `mooring events --filter …`: what the engine does, as `docker events` tells it: from --since on, and as it happens until --until. */
export async function engineEvents(client: DockerClient, io: Io, { filter, since, until, format }: EngineEventsFlags): Promise<number> {
  const time = (text: string | undefined, flag: string): string | undefined => (text === undefined ? undefined : (parseSince(text, io.now(), flag) / 1000).toFixed(3));
  const path = `/events${queryOf({ filters: filtersOf(filter), since: time(since, '--since'), until: time(until, '--until') })}`;
  const render = format === undefined || format === 'json' ? undefined : renderTemplate(format);
  for await (const event of client.objects<EngineEvent>({ method: 'GET', path })) io.out(`${render ? render(event) : format === 'json' ? JSON.stringify(event) : printable(lineOf(event))}\n`);
  return EXIT.ok;
}

/** `2026-01-31T12:00:00.000000000Z container start ID (image=busybox, name=web)`. */
export function lineOf({ Type, Action, Actor, timeNano }: EngineEvent): string {
  const seconds = Math.floor(timeNano / 1e9);
  const fraction = String(Math.round(timeNano - seconds * 1e9)).padStart(9, '0').slice(0, 9);
  const attributes = Object.entries(Actor.Attributes ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${fraction}Z ${Type} ${Action} ${Actor.ID}${attributes.length === 0 ? '' : ` (${attributes.join(', ')})`}`;
}
