import { setTimeout as sleep } from 'node:timers/promises';
import { Bell } from '../../lib/bell.ts';
import type { DockerCall } from './call.ts';
import type { DockerEvent } from './docker-events.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import type { Filters } from './filters.ts';
import { instantOf } from './image-lookup.ts';
import { sendObjects } from './json-stream.ts';
import type { DockerRoute } from './route.ts';

export const eventRoutes: readonly DockerRoute[] = [{ method: 'GET', path: '/events', handle: events }];

/** A client that is further behind is given up. */
const MAX_BEHIND = 10_000;

async function events(call: DockerCall, { told }: DockerServices): Promise<void> {
  // As with the engine, a filter that nobody knows filters nothing here.
  const filters = call.query.filters();
  const [since, until] = (['since', 'until'] as const).map((name) => instantIn(call, name));
  if (since !== undefined && until !== undefined && since > until) throw new DockerError(400, `\`since\` time (${call.query.text('since')}) cannot be after \`until\` time (${call.query.text('until')})`);
  const isMeant = (event: DockerEvent): boolean => passes(filters, event);
  const isPast = until !== undefined && until <= Date.now();
  const end = AbortSignal.any([call.signal, ...(until === undefined || isPast ? [] : [ending(until, call.signal)])]);
  const past = since === undefined && until === undefined ? [] : told.past().filter(({ timeNano }) => (since === undefined || timeNano / 1e6 >= since) && (until === undefined || timeNano / 1e6 <= until));
  await sendObjects(call, follow(told, past, isPast ? undefined : end, isMeant), { separator: '\n', headAtOnce: true });
}

/** What is remembered, then, unless there is no signal, what comes until that. */
async function* follow(told: DockerServices['told'], past: readonly DockerEvent[], end: AbortSignal | undefined, isMeant: (event: DockerEvent) => boolean): AsyncGenerator<DockerEvent, void, void> {
  const arrived = new Bell();
  let pending: DockerEvent[] = [];
  const unsubscribe = told.subscribe((event) => {
    if (!isMeant(event)) return;
    pending.push(event);
    arrived.ring();
  });
  try {
    yield* past.filter(isMeant);
    if (end === undefined) return;
    while (!end.aborted) {
      if (pending.length === 0 && !(await arrived.next(end))) return;
      if (pending.length > MAX_BEHIND) throw new DockerError(503, `the client fell ${pending.length} events behind`);
      const batch = pending;
      pending = [];
      yield* batch;
    }
  } finally {
    unsubscribe();
  }
}

/** Longer than any timer of Node's takes is as good as for ever. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function ending(until: number, signal: AbortSignal): AbortSignal {
  const ended = new AbortController();
  sleep(Math.min(until - Date.now(), MAX_TIMER_MS), undefined, { signal, ref: false }).then(
    () => ended.abort(),
    () => {}, // the client has gone
  );
  return ended.signal;
}

function instantIn({ query }: DockerCall, name: string): number | undefined {
  const value = query.text(name);
  if (value === undefined) return undefined;
  const instant = instantOf(value);
  if (instant === undefined) throw new DockerError(400, `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  return instant;
}

function passes(filters: Filters, { Type, Action, Actor, scope }: DockerEvent): boolean {
  const { ID, Attributes } = Actor;
  const isOf = (type: DockerEvent['Type']): boolean => !filters.has(type) || (Type === type && filters.values(type).some((value) => ID === value || ID.startsWith(value) || Attributes['name'] === value));
  return (
    (!filters.has('event') || filters.values('event').some((value) => Action === value || Action.startsWith(`${value}:`))) &&
    filters.isOneOf('type', Type) &&
    filters.isOneOf('scope', scope) &&
    filters.haveLabels(Attributes) &&
    (['container', 'network', 'volume', 'daemon'] as const).every(isOf) &&
    isOfImage(filters, Type, ID, Attributes) &&
    (['config', 'node', 'plugin', 'secret', 'service'] as const).every((name) => !filters.has(name))
  );
}

/** Events of images, and of the containers made from them. */
function isOfImage(filters: Filters, type: DockerEvent['Type'], id: string, { name = '', image = '' }: Readonly<Record<string, string>>): boolean {
  if (!filters.has('image')) return true;
  const bare = (text: string): string => text.replace(/:[^:/]*$/, '');
  const texts = type === 'image' ? [id, name, bare(name)] : type === 'container' ? [image, bare(image)] : [];
  return filters.values('image').some((value) => texts.includes(value));
}
