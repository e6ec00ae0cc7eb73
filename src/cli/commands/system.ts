import type { SystemPruneResult, SystemUsageReply } from '../../api/v1/system-types.ts';
import type { Info } from '../../api/v1/types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { formatBytes } from '../output/bytes.ts';
import { renderTable } from '../output/table.ts';
import { serialize } from './get.ts';
import { type OutputOptions, query } from './image.ts';

const NAMES: Readonly<Record<SystemUsageReply['rows'][number]['kind'], string>> = {
  Blobs: 'images, as transferred',
  Layers: 'layers, unpacked',
  Containers: 'containers, written by them',
  Logs: 'logs',
  Volumes: 'volumes',
  BuildFolders: 'cache folders of builds',
};

/** `mooring system df`. */
export async function diskUsage(client: Client, io: Io, { output }: OutputOptions): Promise<number> {
  const usage = await client.get<SystemUsageReply>('/v1/system/df');
  if (output === 'json' || output === 'yaml') io.out(await serialize(usage, output));
  else {
    const total = usage.rows.reduce((sum, { bytes }) => sum + bytes, 0);
    io.out(renderTable(['WHAT', 'COUNT', 'DISK'], [...usage.rows.map(({ kind, count, bytes }) => [NAMES[kind], String(count), formatBytes(bytes)]), ['in all', '', formatBytes(total)]]));
    const { images, builds, volumes } = usage.reclaimable;
    io.out(`"mooring system prune" would give back ${formatBytes(images + builds)}\n`);
    if (volumes > 0) io.out(`volumes that nobody wants any more hold ${formatBytes(volumes)}\n`);
  }
  return EXIT.ok;
}

/** `mooring system prune`. */
export async function systemPrune(client: Client, io: Io, { all = false, dryRun = false, output }: OutputOptions & { readonly all?: boolean; readonly dryRun?: boolean }): Promise<number> {
  const result = await client.call<SystemPruneResult>(`/v1/system/prune?${query({ ...(all && { all: '1' }), ...(dryRun && { dryRun: '1' }) })}`);
  if (output === 'json' || output === 'yaml') io.out(await serialize(result, output));
  else {
    const verb = dryRun ? 'would remove' : 'removed';
    for (const name of result.names) io.out(`${verb} ${name}\n`);
    io.out(`${verb} ${result.steps} build steps, ${result.layers} layers and ${result.blobs} blobs: ${formatBytes(result.bytes)}\n`);
  }
  return EXIT.ok;
}

/** `mooring system info`. */
export async function systemInfo(client: Client, io: Io, { output }: OutputOptions): Promise<number> {
  const info = await client.get<Info>('/v1/info');
  if (output === 'json' || output === 'yaml') io.out(await serialize(info, output));
  else io.out(renderTable(['WHAT', 'VALUE'], Object.entries(info).map(([name, value]) => [name, value === null ? 'off' : String(value)])));
  return EXIT.ok;
}
