import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { errnoOf } from '../../lib/errors.ts';
import type { BlockIO } from '../../spec/block-io.ts';

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** Of a device node's `rdev`, as Linux makes it (makedev(3)). */
export function deviceNumber({ rdev }: Pick<Stats, 'rdev'>): DeviceNumber {
  const number = BigInt(rdev);
  const bits = (from: bigint, count: bigint) => Number((number >> from) & ((1n << count) - 1n));
  return { major: bits(8n, 12n) + bits(44n, 20n) * 2 ** 12, minor: bits(0n, 8n) + bits(20n, 24n) * 2 ** 8 };
}

/** Every path that it names, once. */
export function blockDevicePaths({ weightDevice, throttleReadBpsDevice, throttleWriteBpsDevice, throttleReadIOPSDevice, throttleWriteIOPSDevice }: BlockIO): string[] {
  return [...new Set([weightDevice, throttleReadBpsDevice, throttleWriteBpsDevice, throttleReadIOPSDevice, throttleWriteIOPSDevice].flat().map(({ path }) => path))];
}

/** Those that are block devices of this node, by their paths. */
export async function blockDevices(blockIO: BlockIO | undefined): Promise<ReadonlyMap<string, DeviceNumber>> {
  const found = new Map<string, DeviceNumber>();
  for (const path of blockIO === undefined ? [] : blockDevicePaths(blockIO)) {
    const status = await statIfThere(path);
    if (status?.isBlockDevice()) found.set(path, deviceNumber(status));
  }
  return found;
}

/** Undefined where there is nothing. */
export async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
