import { setTimeout as pause } from 'node:timers/promises';
import type { ListedContainer } from '../../docker/container-rows.ts';
import { type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { queryOf } from '../../docker/filters.ts';
import { cpuPercent, memoryOf, STATS_FORMAT, type StatsSample, statsRow, type Usage } from '../../docker/stats-rows.ts';
import { UsageWatch } from '../../docker/usage-watch.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { LiveScreen } from '../../output/live-screen.ts';
import { renderList } from '../../template/list-format.ts';

export interface StatsFlags {
  readonly all?: boolean;
  /** False with --no-stream. */
  readonly stream: boolean;
  /** False with --no-trunc. */
  readonly trunc: boolean;
  readonly format?: string;
}

const REDRAW = { redrawMs: 200, refreshMs: 1000 };

/** `mooring stats [NAME…]`: on a terminal a table that goes on; else, or with --no-stream, one table. */
export async function stats(client: DockerClient, io: Io, names: readonly string[], { all, stream, trunc, format }: StatsFlags): Promise<number> {
  const render = (usages: readonly Usage[]): string => renderList(usages.map((usage) => statsRow(usage, !trunc)), STATS_FORMAT, { format });
  if (!stream) {
    io.out(render(await once(client, names, all === true)));
    return EXIT.ok;
  }
  return follow(client, io, names, render);
}

/** `mooring top`: those that take most of the processors first; live on a terminal, else one table. */
export async function top(client: DockerClient, io: Io): Promise<number> {
  const busiest = (usages: readonly Usage[]): Usage[] => usages.toSorted((a, b) => weight(b) - weight(a) || (a.name < b.name ? -1 : 1));
  const render = (usages: readonly Usage[]): string => renderList(busiest(usages).map((usage) => statsRow(usage, false)), STATS_FORMAT, { format: undefined });
  if (io.terminal) return follow(client, io, [], render);
  io.out(render(await once(client, [], false)));
  return EXIT.ok;
}

/** Processors first, then memory; what is below a hundredth of a percent is shown as none, and counts as none. */
function weight({ sample }: Usage): number {
  return sample === undefined ? -1 : Math.round(cpuPercent(sample) * 100) * 1e15 + memoryOf(sample);
}

async function once(client: DockerClient, names: readonly string[], all: boolean): Promise<Usage[]> {
  const wanted = names.length === 0 ? (await client.get<ListedContainer[]>(`/containers/json${queryOf({ all })}`)).map(({ Id, Names }) => ({ id: Id, name: (Names[0] ?? Id).replace(/^\//, '') })) : await Promise.all(names.map((name) => identify(client, name)));
  return Promise.all(wanted.map(async ({ id, name }) => ({ id, name, sample: await client.get<StatsSample>(pathFor('containers', id, 'stats', { stream: '0' })) })));
}

async function identify(client: DockerClient, name: string): Promise<{ id: string; name: string }> {
  const { Id, Name } = await client.get<{ Id: string; Name: string }>(pathFor('containers', name, 'json'));
  return { id: Id, name: Name.replace(/^\//, '') };
}

async function follow(client: DockerClient, io: Io, names: readonly string[], render: (usages: readonly Usage[]) => string): Promise<number> {
  using resources = new DisposableStack();
  let changed = (): void => undefined;
  const watch = resources.use(new UsageWatch(client, () => changed()));
  if (names.length === 0) await watch.followAll();
  else for (const { id, name } of await Promise.all(names.map((each) => identify(client, each)))) watch.follow(id, name);
  const table = (): string => render(watch.usages);
  if (io.terminal) {
    const screen = resources.use(new LiveScreen(io, table, REDRAW));
    changed = () => screen.changed();
  }
  // Until everything that was asked for has ended.
  while (watch.failure === undefined && (names.length === 0 || watch.usages.length > 0)) {
    await pause(REDRAW.refreshMs);
    if (!io.terminal) io.out(table());
  }
  if (watch.failure !== undefined) throw watch.failure;
  return EXIT.ok;
}
