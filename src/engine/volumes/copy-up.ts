import { chmod, mkdir, opendir, rename } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import { ArchiverProcess } from '../images/archiver-process.ts';
import { layeredStat } from '../images/layered-file.ts';
import { flushToDisk } from '../images/flush-to-disk.ts';
import { DEFAULT_LAYER_BOUNDS, unpackLayer } from '../images/unpack-layer.ts';
import { syncFolder } from '../store/data-dir.ts';

export interface CopyUp {
  /** The static `mooring-archive` binary. */
  readonly archiver: string;
  /** Folders of the image's layers, top first. */
  readonly layers: readonly string[];
  /** Where in the image: an absolute path. */
  readonly mountPath: string;
  /** The empty folder that is to become what the image has there. Its parent is the volume's own. */
  readonly folder: string;
  /** An empty folder on the same file system, gone afterwards with what is in it. */
  readonly scratch: string;
  /** Makes a folder in it one that may become the volume's. */
  readonly own: (folder: string) => Promise<void>;
}

/**
 * Lets a volume begin with what the image has where it is mounted: with owners, modes, dates, attributes and links as they are. Two processes do it, one shut
 * in with the image's files and one with the copy, so whatever the image holds, no other file is met. A copy that a crash breaks off leaves the volume empty.
 * Nothing happens where the volume is not empty, or the image has no folder there.
 */
export async function copyUp({ archiver, layers, mountPath, folder, scratch, own }: CopyUp): Promise<void> {
  const found = await layeredStat(layers, mountPath);
  if (!found?.isFolder || !(await isEmpty(folder))) return;
  const half = path.join(scratch, 'copy');
  const upper = path.join(scratch, 'upper');
  await Promise.all([mkdir(half), mkdir(upper)]);
  await own(half);
  try {
    using reader = new ArchiverProcess(archiver, ['get', found.path, '.', ...layers.flatMap((layer) => ['--lower', layer]), '--upper', upper]);
    const what = `copy ${mountPath} of the image into the volume`;
    const unpacked = unpackLayer({ archiver, blob: reader.stdout, folder: half, bounds: DEFAULT_LAYER_BOUNDS });
    const [read, written] = await Promise.allSettled([reader.report(what), unpacked]);
    // A reader that nobody takes anything from any more dies of that, without a word: then the other one says why.
    const isMute = read.status === 'rejected' && read.reason instanceof MooringError && read.reason.code === 'Internal';
    for (const end of isMute ? [written, read] : [read, written]) if (end.status === 'rejected') throw new MooringError('Unavailable', what, { cause: end.reason });
    await flushToDisk(archiver, half);
    await rename(half, folder);
    await syncFolder(path.dirname(folder));
  } catch (error) {
    // Somebody wrote into it meanwhile: then it is not empty, and stays as it is.
    if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'EEXIST') throw error;
  }
}

/** Makes a folder that is to hold a volume's data. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await chmod(folder, 0o755); // mkdir's mode is narrowed by the umask
}

async function isEmpty(folder: string): Promise<boolean> {
  for await (const _ of await opendir(folder)) return false;
  return true;
}
