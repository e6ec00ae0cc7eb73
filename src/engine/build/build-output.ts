import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { MooringError } from '../../lib/errors.ts';
import type { BuildOutput } from '../builds.ts';
import { saveImages } from '../images/save.ts';
import type { ImageRecord } from '../store/image-records.ts';
import { treeOf, type BuildSession, type BuiltStage } from './build-session.ts';
import { planCopy } from './copy-plan.ts';
import { layerArchive } from './layer-archive.ts';
import { LayerTree } from './layer-tree.ts';

/** Writes a build's result where it was asked for. A file appears once it is whole. */
export async function writeOutput(session: Pick<BuildSession, 'room' | 'native' | 'times' | 'signal'>, built: BuiltStage, record: ImageRecord, { type, destination }: BuildOutput): Promise<void> {
  const { room, signal } = session;
  try {
    if (type === 'local') {
      await mkdir(destination, { recursive: true });
      await room.layers.unpackInto(destination, await fileSystem(session, built), signal);
      return;
    }
    const half = path.join(path.dirname(destination), `.${path.basename(destination)}.${randomBytes(6).toString('hex')}`);
    try {
      const content = type === 'tar' ? await fileSystem(session, built) : await saved(session, record, type);
      await pipeline(Readable.from(content, { objectMode: false }), createWriteStream(half, { flags: 'wx', mode: 0o644, flush: true }), { signal });
      await chmod(half, 0o644);
      await rename(half, destination);
    } finally {
      await rm(half, { force: true });
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MooringError) throw error;
    throw new MooringError('Unavailable', `write the output ${destination}`, { cause: error });
  }
}

/** All that the image shows as one archive, deletions left out. */
async function fileSystem(session: Pick<BuildSession, 'room' | 'native' | 'times'>, { layers }: BuiltStage): Promise<AsyncIterable<Buffer>> {
  const rules = { keyword: 'the output', destination: '/', workingDir: '/', link: true, parents: false, excludes: [] };
  const files = await planCopy(new LayerTree([], session.native), [{ tree: treeOf(session, layers), path: '', exact: true, ownedByRoot: false }], rules);
  return layerArchive({ files, contents: new Map() }, session.times);
}

async function saved({ room }: Pick<BuildSession, 'room'>, record: ImageRecord, format: 'oci' | 'docker'): Promise<AsyncIterable<Buffer>> {
  return saveImages(room, [record.name], format);
}
