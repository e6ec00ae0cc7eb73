import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../../lib/errors.ts';
import type { Mount } from '../../spec/mount.ts';
import { parseTmpfsSize } from '../../spec/resources.ts';
import { isBindVolume, mountOptions } from '../../spec/volume.ts';
import { layeredStat } from '../images/layered-file.ts';
import { type IdMapping, swapped } from '../volumes/id-map.ts';
import type { FoundVolume } from '../volumes/local-volumes.ts';
import type { ProcessUser, RuntimeMount } from './runtime-spec.ts';

/** A mount of a container's own with what is known of it on this node. */
export interface OwnMount {
  readonly mount: Mount;
  /** Where its volume is, for a mount of one. */
  readonly volume?: FoundVolume;
  /** Folder that holds its content, for a mount of ConfigMaps and Secrets. */
  readonly content?: string;
  /** Whose its files are in the container; as on disk where there are none. */
  readonly ids?: { readonly uids: readonly IdMapping[]; readonly gids: readonly IdMapping[] };
}

/** Understood by the runtime alone: the bind's source is this path below it, resolved so that no link leads out. */
const SUB_PATH = 'x-mooring.subpath=';

/** The part of a bind's source that is shown; empty for all of it. */
export function partOf(options: readonly string[]): string {
  return options.find((option) => option.startsWith(SUB_PATH))?.slice(SUB_PATH.length) ?? '';
}

/** Options that programs like mount(8) take for themselves; the kernel would refuse them. */
const NOT_THE_KERNELS = new Set(['auto', 'noauto', 'defaults', 'nofail', '_netdev', 'user', 'nouser', 'users', 'owner', 'group']);

const PROPAGATION = { None: 'rprivate', HostToContainer: 'rslave', Bidirectional: 'rshared' } as const;

/** As config.json has it. */
export function runtimeMount({ mount, volume, content, ids }: OwnMount): RuntimeMount {
  const destination = mount.mountPath;
  const mapped = ids === undefined ? {} : { uidMappings: ids.uids, gidMappings: ids.gids };
  const access = mount.readOnly ? (mount.recursiveReadOnly && mount.bind?.recursive !== false ? 'rro' : 'ro') : 'rw';
  if (mount.tmpfs) {
    const { size, mode, options } = mount.tmpfs;
    const limit = size === undefined ? [] : [`size=${parseTmpfsSize(size)}`];
    return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', `mode=${mode}`, ...limit, ...options, mount.readOnly ? 'ro' : 'rw'] };
  }
  // Memory of the node may be mounted without exec, and scripts are configuration, too.
  if (content !== undefined) return { destination, type: 'bind', source: path.join(content, shownPart(mount) ?? ''), options: ['bind', 'rprivate', 'nosuid', 'nodev', 'exec', 'ro'] };
  const below = mount.volume?.subPath === undefined ? [] : [`${SUB_PATH}${mount.volume.subPath}`];
  if (volume === undefined) return { destination, type: 'bind', source: mount.bind?.source ?? '', options: [mount.bind?.recursive === false ? 'bind' : 'rbind', PROPAGATION[mount.bind?.propagation ?? 'None'], access], ...mapped };
  if (volume.folder !== undefined) return { destination, type: 'bind', source: volume.folder, options: ['rbind', 'rprivate', access, ...below], ...mapped };
  const { type = 'none', device = '', o } = volume.volume.spec.options;
  const given = mountOptions(o).filter((option) => !NOT_THE_KERNELS.has(option) && !option.startsWith('x-') && !option.startsWith('comment='));
  const options = [...given, ...(mount.readOnly ? [access] : []), ...below];
  return isBindVolume(volume.volume.spec) ? { destination, type: 'bind', source: device, options: ['rprivate', ...options], ...mapped } : { destination, type, source: device, options, ...mapped };
}

/** What of its content a mount shows; undefined for all of it. */
function shownPart({ configMap, secret, projected }: Mount): string | undefined {
  return (configMap ?? secret ?? projected)?.subPath;
}

/** What makes the files of a mount's owner those of the container's user; undefined where that is nothing. */
export async function idsFor(own: OwnMount, user: ProcessUser, layers: readonly string[]): Promise<OwnMount['ids']> {
  if (own.mount.idmap !== 'Container') return undefined;
  const owner = await ownerOf(own, layers);
  const uids = swapped(owner.uid, user.uid);
  const gids = swapped(owner.gid, user.gid);
  if (uids.length === 0 && gids.length === 0) return undefined;
  // The kernel takes both maps or none.
  return { uids: uids.length > 0 ? uids : EVERYBODY, gids: gids.length > 0 ? gids : EVERYBODY };
}

const EVERYBODY: readonly IdMapping[] = [{ containerID: 0, hostID: 0, size: 2 ** 32 - 1 }];

/** Whose the source of a mount is, or will be once what the image has there is in it. */
async function ownerOf({ mount, volume }: OwnMount, layers: readonly string[]): Promise<{ readonly uid: number; readonly gid: number }> {
  const copied = volume?.willCopy ? await layeredStat(layers, mount.mountPath) : undefined;
  if (copied?.isFolder) return copied;
  const source = volume === undefined ? mount.bind?.source : (volume.folder ?? volume.volume.spec.options.device);
  try {
    return await stat(source ?? '');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return { uid: 0, gid: 0 }; // made before the container starts, by root
  }
}

/** Makes the folders of the node that are to be made where they are missing. */
export async function makeBindSources(mounts: readonly Mount[]): Promise<void> {
  for (const { bind } of mounts) if (bind?.createSource) await mkdir(bind.source, { recursive: true });
}
