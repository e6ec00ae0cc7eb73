import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises';

import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Container } from '../../spec/container.ts';
import { containerName } from '../../spec/name.ts';
import type { ContainerPaths } from './container-paths.ts';
import { blockDevicePaths, blockDevices, type DeviceNumber } from './device-number.ts';
import { OVERLAY_ANNOTATION, type RootOverlay, type RuntimeConfig } from './runtime-spec.ts';

/**
 * Makes the bundle's files, or those that are missing; what the writable layer holds stays. Nothing is flushed: a bundle that a crash
 * left half made is known by its hash, and made again.
 */
export async function writeBundle(paths: ContainerPaths, configText: string): Promise<void> {
  await mkdir(paths.bundle, { recursive: true, mode: 0o700 });
  await Promise.all([
    writeFile(paths.config, configText, { mode: 0o600 }),
    ...[paths.rootfs, paths.work, paths.stateDir].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })),
    // The upper folder's mode becomes that of the container's `/`, whatever the daemon's umask is.
    mkdir(paths.upper, { recursive: true }).then(() => chmod(paths.upper, 0o755)),
  ]);
}

/** The image's layers, top first, as the bundle has them. */
export async function layersOfBundle(configFile: string): Promise<readonly string[]> {
  const { annotations } = JSON.parse(await readFile(configFile, 'utf8')) as RuntimeConfig;
  return (JSON.parse(annotations[OVERLAY_ANNOTATION]) as RootOverlay).lower;
}

/** Throws `NotFound` naming the first bind mount whose source is missing. */
export async function requireBindSources(container: Container): Promise<void> {
  for (const { bind, mountPath } of container.spec.mounts) {
    if (!bind || bind.createSource) continue;
    try {
      await access(bind.source);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
      throw new MooringError('NotFound', `container ${containerName(container.metadata)}: bind source ${bind.source}, to be mounted on ${mountPath}, does not exist`, {
        fix: `make it on this node: mkdir -p ${bind.source}`,
        cause: error,
      });
    }
  }
}

/** The text of the profile file that the container names; undefined where it names none. `NotFound` where there is no such file. */
export async function readSeccompProfile({ metadata, spec }: Container): Promise<string | undefined> {
  const file = spec.seccompProfile.localhostProfile;
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new MooringError(errnoOf(error) === 'ENOENT' ? 'NotFound' : 'Invalid', `container ${containerName(metadata)}: its seccomp profile ${file} can't be read`, { fix: 'put the profile there, on this node', cause: error });
  }
}

/** The numbers of the block devices that the container's limits name, by their paths. `NotFound` for one that is none here. */
export async function requireBlockDevices({ metadata, spec }: Container): Promise<ReadonlyMap<string, DeviceNumber>> {
  const { blockIO } = spec.resources;
  const devices = await blockDevices(blockIO);
  const missing = blockIO && blockDevicePaths(blockIO).find((path) => !devices.has(path));
  if (missing === undefined) return devices;
  throw new MooringError('NotFound', `container ${containerName(metadata)}: ${missing}, which spec.resources.blockIO limits, is no block device of this node`, { fix: 'name one that "lsblk -p" lists' });
}
