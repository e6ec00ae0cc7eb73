import { errnoOf, MooringError } from '../../lib/errors.ts';
import type { Drift } from '../engine.ts';
import { resolveLayeredPath } from '../images/layered-file.ts';
import { parseMountTable } from './mount-table.ts';
import { OVERLAY_ANNOTATION, type RootOverlay, type RuntimeConfig } from './runtime-spec.ts';

/** A mount that a running container is to have, as its mount table would show it. */
export interface WantedMount {
  readonly mountPoint: string;
  /** Undefined where the source decides it. */
  readonly type: string | undefined;
  readonly readOnly: boolean;
}

const KERNEL_TYPES: ReadonlySet<string> = new Set(['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue']);

/** How the kernel marks what was removed while it is mounted (Documentation/filesystems/proc, "mountinfo"). */
const REMOVED = '//deleted';

/**
 * What the mount table of a container made from `config` holds. The runtime follows the rootfs's symbolic links on the way to a
 * mount point (`/var/run` is `/run` in most images), so they are followed here, over the writable layer and the image's.
 */
export async function wantedMounts(config: RuntimeConfig): Promise<WantedMount[]> {
  const { lower, upper } = JSON.parse(config.annotations[OVERLAY_ANNOTATION]) as RootOverlay;
  const layers = [upper, ...lower];
  const resolved = new Map<string, Promise<string>>();
  for (const { destination } of config.mounts) {
    const parent = [...resolved.keys()].filter((earlier) => destination.startsWith(`${earlier}/`)).sort((a, b) => b.length - a.length)[0];
    const known = parent === undefined ? undefined : resolved.get(parent);
    // Below an earlier mount the layers don't show through.
    resolved.set(destination, known && parent !== undefined ? known.then((place) => place + destination.slice(parent.length)) : placeOf(layers, destination));
  }
  const mounts = config.mounts.map(async ({ destination, type, options }): Promise<WantedMount> => ({
    mountPoint: (await resolved.get(destination)) ?? destination,
    // A cgroup mount is a tmpfs of binds on v1; what volumes mount may go by another name than it was asked for (nfs is nfs4).
    type: KERNEL_TYPES.has(type) ? type : undefined,
    readOnly: type !== 'cgroup' && (options.includes('ro') || options.includes('rro')),
  }));
  return [{ mountPoint: '/', type: 'overlay', readOnly: config.root.readonly }, ...(await Promise.all(mounts))];
}

/**
 * The writable layer is the container's to change, also into loops of links, and somebody else's to remove. A mount point that can't
 * be found for that is looked for where it was asked for.
 */
async function placeOf(layers: readonly string[], destination: string): Promise<string> {
  try {
    return await resolveLayeredPath(layers, destination);
  } catch (error) {
    if (error instanceof MooringError || errnoOf(error) === 'ENOENT') return destination;
    throw error;
  }
}

/** How a container's mount table, just read, differs from what is wanted. What the container mounted itself is its own business. */
export function mountDrift(wanted: readonly WantedMount[], mountinfo: string): Drift[] {
  const onTop = new Map(parseMountTable(mountinfo).map((entry) => [entry.mountPoint, entry]));
  return wanted.flatMap(({ mountPoint, type, readOnly }) => {
    const kind = mountPoint === '/' ? 'Rootfs' : 'Mounts';
    const found = onTop.get(mountPoint);
    if (!found) return [{ kind, message: `${mountPoint} is not mounted` }];
    if (found.root.endsWith(REMOVED)) return [{ kind, message: `${mountPoint} shows ${found.root.slice(0, -REMOVED.length)}, which was removed` }];
    if (type !== undefined && found.type !== type) return [{ kind, message: `${mountPoint} is a mount of ${found.type}, want ${type}` }];
    if (readOnly && !found.options.includes('ro')) return [{ kind, message: `${mountPoint} is writable, want read-only` }];
    return [];
  });
}
