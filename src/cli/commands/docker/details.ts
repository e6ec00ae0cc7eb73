import { MooringError } from '../../../lib/errors.ts';
import { type DockerClient, pathFor } from '../../docker/docker-client.ts';
import { EXIT } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { printable } from '../../output/table.ts';

interface Inspected {
  readonly NetworkSettings: { readonly Ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>> | null };
}

/** `mooring port NAME [PORT]`: where its ports are published. */
export async function port(client: DockerClient, io: Io, name: string, wanted: string | undefined): Promise<number> {
  const { NetworkSettings } = await client.get<Inspected>(pathFor('containers', name, 'json'));
  const ports = Object.entries(NetworkSettings.Ports ?? {});
  const key = wanted === undefined || wanted.includes('/') ? wanted?.toLowerCase() : `${wanted}/tcp`;
  const found = ports.filter(([inside, bindings]) => (key === undefined || inside === key) && bindings !== null && bindings.length > 0);
  if (key !== undefined && found.length === 0) throw new MooringError('NotFound', `port ${key} of ${name} is not published`, { fix: `see "mooring port ${name}"` });
  const lines = found.flatMap(([inside, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => {
      const address = `${HostIp.includes(':') ? `[${HostIp}]` : HostIp}:${HostPort}`;
      return key === undefined ? `${inside} -> ${address}` : address;
    }),
  );
  io.out(lines.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1)).map((line) => `${line}\n`).join(''));
  return EXIT.ok;
}

const CELL = 20;
const GAP = 3;

/** `mooring top NAME [PS OPTIONS]`: its processes, as ps(1) shows them. */
export async function processes(client: DockerClient, io: Io, name: string, options: readonly string[]): Promise<number> {
  const { Titles, Processes } = await client.get<{ Titles: string[]; Processes: string[][] | null }>(pathFor('containers', name, 'top', options.length === 0 ? {} : { ps_args: options.join(' ') }));
  const rows = [Titles, ...(Processes ?? [])].map((cells) => cells.map((cell) => (io.terminal ? printable(cell) : cell)));
  const widths = Titles.map((_, column) => Math.max(CELL, ...rows.map((cells) => (cells[column] ?? '').length + GAP)));
  io.out(rows.map((cells) => `${cells.map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('')}\n`).join(''));
  return EXIT.ok;
}
