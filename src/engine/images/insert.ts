import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';

import { MooringError } from '../../lib/errors.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { addLayer, newName } from './add-layer.ts';
import { fetchUrl } from './fetch-url.ts';
import { keepChanges } from './keep-changes.ts';
import type { ImageRoom } from './room.ts';
import { readStoredImage } from './stored-image.ts';

export interface InsertRequest {
  readonly image: string;
  /** Where the file is fetched from: http or https. */
  readonly url: string;
  /** Absolute, in the image: what the file is to be called. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** The new image's name; without it, that of the old one. */
  readonly name?: string;
  readonly signal?: AbortSignal;
}

/** Makes an image of another and one file of the web, root's, in a layer of its own. Folders that the image lacks are made. */
export async function insertFile(room: ImageRoom, { image, url, path: target, mode, name, signal }: InsertRequest): Promise<ImageRecord> {
  if (!target.startsWith('/') || target.endsWith('/')) throw new MooringError('Invalid', `"${target}" is no absolute path of a file`, { fix: 'give the whole path that the file is to have in the image' });
  const { named, records } = room.images.find(image);
  const record = named ?? records[0];
  if (!record) throw new MooringError('NotFound', `there is no image ${image}`);
  const base = await readStoredImage(room, record);
  using held = room.pins.open();
  await held.add(base.layers.flatMap(({ descriptor, chainId }) => [descriptor.digest, chainId]));

  const place = room.dataDir.temporaryPath();
  try {
    const [upper, work, file] = ['upper', 'work', 'file'].map((part) => path.join(place, part)) as [string, string, string];
    await mkdir(upper, { recursive: true, mode: 0o755 });
    await mkdir(work);
    await pipeline(fetchUrl(url, signal), createWriteStream(file, { mode: 0o600 }));
    // Over the image's own folders, so that links on the way and the rights of folders are theirs.
    const lower = base.layers.map(({ chainId }) => room.layers.folder(chainId)).reverse();
    await room.layers.putInto({ lower, upper, work }, '/', archiveOf(file, (await stat(file)).size, target, mode), signal);
    const layer = await keepChanges(room, { upper: { folder: upper, lower }, parent: base.layers.at(-1)?.chainId, consume: true, ...(signal && { signal }) }, held);
    return await addLayer(room, base, { name: name === undefined ? record.name : newName(room, name), layer, createdBy: `mooring insert ${url} ${target}`, held });
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function archiveOf(file: string, size: number, target: string, mode: number): AsyncIterable<Buffer> {
  const archive = pack();
  const entry = archive.entry({ name: target.slice(1), mode, size, uid: 0, gid: 0, mtime: new Date() });
  pipeline(createReadStream(file), entry).then(
    () => archive.finalize(),
    (error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return archive as AsyncIterable<Buffer>;
}
