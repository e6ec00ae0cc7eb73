import type { CheckResult, ImageDetails, ImageDiskUsage, ImageHistory, ImageList, ImageSummary, NameList, PruneResult } from '../../api/v1/image-types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { formatAge } from '../output/age.ts';
import { formatBytes } from '../output/bytes.ts';
import { renderTable } from '../output/table.ts';
import { parseSince } from '../since.ts';
import { serialize, type OutputFormat } from './get.ts';

export interface OutputOptions {
  readonly output?: OutputFormat;
}

/** `mooring images`: every name with its image; names of one image stand together. */
export async function listImages(client: Client, io: Io, { output }: OutputOptions): Promise<number> {
  const { items } = await client.get<ImageList>('/v1/images');
  if (output === 'json' || output === 'yaml') io.out(await serialize(items, output));
  else if (output === 'name') io.out(items.flatMap(({ names }) => names.map((name) => `${name}\n`)).join(''));
  else if (items.length === 0) io.err('No images.\n');
  else io.out(imageTable(items, io.now()));
  return EXIT.ok;
}

function imageTable(items: readonly ImageSummary[], now: number): string {
  const rows = items.flatMap(({ id, names, platform, size, storedAt, containers, damage }) =>
    names.map((name) => [name, shortId(id), damage === undefined ? [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/') : 'DAMAGED', formatBytes(size), formatAge(now - storedAt), String(containers.length)]),
  );
  return renderTable(['NAME', 'ID', 'PLATFORM', 'SIZE', 'STORED', 'CONTAINERS'], rows.toSorted((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)));
}

/** `mooring image inspect`: everything, as JSON unless asked otherwise. */
export async function inspectImage(client: Client, io: Io, image: string, { output }: OutputOptions): Promise<number> {
  io.out(await serialize(await client.get<ImageDetails>(`/v1/images/inspect?${query({ image })}`), output === 'yaml' ? 'yaml' : 'json'));
  return EXIT.ok;
}

export async function imageHistory(client: Client, io: Io, image: string, { output }: OutputOptions): Promise<number> {
  const { items } = await client.get<ImageHistory>(`/v1/images/history?${query({ image })}`);
  if (output === 'json' || output === 'yaml') io.out(await serialize(items, output));
  else io.out(renderTable(['LAYER', 'CREATED', 'SIZE', 'CREATED BY'], items.map(({ layer, created, createdBy }) => [layer ? shortId(layer.digest) : '-', created ?? '-', layer ? formatBytes(layer.size) : '-', createdBy])));
  return EXIT.ok;
}

export async function tagImage(client: Client, image: string, name: string): Promise<number> {
  await client.call<NameList>(`/v1/images/tag?${query({ image, name })}`);
  return EXIT.ok;
}

export async function removeImages(client: Client, io: Io, images: readonly string[], { force = false }: { readonly force?: boolean }): Promise<number> {
  for (const image of images) {
    const { names } = await client.delete<NameList>(`/v1/images?${query({ image, ...(force && { force: '1' }) })}`);
    for (const name of names) io.out(`removed ${name}\n`);
  }
  return EXIT.ok;
}

export interface PruneFlags extends OutputOptions {
  readonly all?: boolean;
  readonly dryRun?: boolean;
  /** `until=TIME`, `label=KEY[=VALUE]`. */
  readonly filter?: readonly string[];
}

/** As Docker writes filters. */
function filterOf(text: string, now: number): [name: string, value: string] {
  const equals = text.indexOf('=');
  const [name, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)];
  if (name === 'until') return [name, new Date(parseSince(value, now)).toISOString()];
  if (name === 'label') return [name, value];
  throw new MooringError('Invalid', `"${text}" is no filter`, { fix: 'write until=24h, until=2026-01-31T12:00:00Z, label=KEY or label=KEY=VALUE' });
}

export async function pruneImages(client: Client, io: Io, { all = false, dryRun = false, filter = [], output }: PruneFlags): Promise<number> {
  const asked = new URLSearchParams({ ...(all && { all: '1' }), ...(dryRun && { dryRun: '1' }) });
  for (const text of filter) asked.append(...filterOf(text, io.now()));
  const result = await client.call<PruneResult>(`/v1/images/prune?${asked.toString()}`);
  if (output === 'json' || output === 'yaml') io.out(await serialize(result, output));
  else {
    const verb = dryRun ? 'would remove' : 'removed';
    for (const name of result.names) io.out(`${verb} ${name}\n`);
    io.out(`${verb} ${result.layers.length} layers and ${result.blobs.length} blobs: ${formatBytes(result.bytes)}\n`);
  }
  return EXIT.ok;
}

export async function imageUsage(client: Client, io: Io, { output }: OutputOptions): Promise<number> {
  const usage = await client.get<ImageDiskUsage>('/v1/images/usage');
  if (output === 'json' || output === 'yaml') io.out(await serialize(usage, output));
  else {
    const rows = (['blobs', 'layers'] as const).map((kind) => [kind, String(usage[kind].count), formatBytes(usage[kind].bytes)]);
    io.out(renderTable(['WHAT', 'COUNT', 'DISK'], rows));
    io.out(`${formatBytes(usage.reclaimable)} would be given back by "mooring image prune"\n`);
  }
  return EXIT.ok;
}

/** `mooring image check`: fails when anything is wrong. */
export async function checkImages(client: Client, io: Io, { output }: OutputOptions): Promise<number> {
  const { problems } = await client.get<CheckResult>('/v1/images/check');
  if (output === 'json' || output === 'yaml') io.out(await serialize(problems, output));
  else if (problems.length === 0) io.out('every digest and reference is right\n');
  else io.out(renderTable(['WHAT', 'PROBLEM'], problems.map(({ object, message }) => [object, message])));
  return problems.length === 0 ? EXIT.ok : EXIT.failure;
}

/** A query of these parameters, encoded. */
export function query(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}

function shortId(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}
