import { readdir } from 'node:fs/promises';
import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import { type VolumeName, volumeName } from '../../spec/name.ts';
import { parseVolumeSize } from '../../spec/resources.ts';
import type { Volume } from '../../spec/volume.ts';

export type VolumeLimitsNative = Pick<Native, 'hasProjectQuota' | 'limitFolder' | 'shareLimit'>;

/** Keeps volumes within `spec.size`, by a project quota for each: the kernel refuses what is beyond it with EDQUOT, whoever writes. */
export class VolumeLimits {
  readonly #native: VolumeLimitsNative;

  constructor(native: VolumeLimitsNative) {
    this.#native = native;
  }

  /** Throws `Unsupported` where nothing below that folder can be limited. */
  async require(name: VolumeName, folder: string): Promise<void> {
    if (await this.#native.hasProjectQuota(folder)) return;
    throw new MooringError('Unsupported', `volume ${name}: its size can't be limited, since the file system of ${folder} has no project quotas in force`, {
      fix: 'keep the data directory on ext4 or xfs mounted with "prjquota", or leave spec.size out',
    });
  }

  /** Throws `Conflict` for a first limit where there is data already: it would not be counted. */
  async refuseLate(before: Volume, after: Volume, data: string | undefined): Promise<void> {
    if (data === undefined || before.spec.size !== undefined || after.spec.size === undefined || (await isEmpty(data))) return;
    throw new MooringError('Conflict', `volume ${volumeName(after.metadata)}: it holds data that was written without a limit, which would not be counted`, {
      fix: 'leave spec.size out, or move the data to a volume that has its size from the start',
    });
  }

  /** Gives the volume's own folder the limit that is wanted, or none, and with it what will be made in it and in `data`. */
  async set({ spec: { size } }: Volume, home: string, data?: string): Promise<void> {
    if (size === undefined && !(await this.#native.hasProjectQuota(home))) return;
    await this.#native.limitFolder(home, size === undefined ? 0 : parseVolumeSize(size));
    if (size !== undefined && data !== undefined) await this.#native.shareLimit(data, home);
  }

  /** Has a folder elsewhere count with the volume, so that it can be moved into it. */
  async share({ spec }: Volume, home: string, folder: string): Promise<void> {
    if (spec.size !== undefined) await this.#native.shareLimit(folder, home);
  }

  /** Before the volume goes: its project would keep a limit that is nobody's. */
  async lift({ spec }: Volume, home: string): Promise<void> {
    if (spec.size === undefined) return;
    try {
      await this.#native.limitFolder(home, 0);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return true;
    throw error;
  }
}
