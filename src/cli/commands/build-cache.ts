import type { BuildCachePruned, BuildCacheUsage } from '../../api/v1/build-types.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { formatBytes } from '../output/bytes.ts';
import { serialize } from './get.ts';
import { type OutputOptions, query } from './image.ts';

export async function buildCacheUsage(client: Client, io: Io, { output }: OutputOptions): Promise<number> {
  const usage = await client.get<BuildCacheUsage>('/v1/builds/cache');
  if (output === 'json' || output === 'yaml') io.out(await serialize(usage, output));
  else io.out(`${usage.count} steps and folders: ${formatBytes(usage.bytes)} beyond the images\n`);
  return EXIT.ok;
}

export async function pruneBuildCache(client: Client, io: Io, { unusedHours, dryRun = false, output }: OutputOptions & { readonly unusedHours: string; readonly dryRun?: boolean }): Promise<number> {
  const pruned = await client.call<BuildCachePruned>(`/v1/builds/cache/prune?${query({ unusedHours, ...(dryRun && { dryRun: '1' }) })}`);
  if (output === 'json' || output === 'yaml') io.out(await serialize(pruned, output));
  else io.out(`${dryRun ? 'would forget' : 'forgot'} ${pruned.steps} steps: ${formatBytes(pruned.bytes)}\n`);
  return EXIT.ok;
}
