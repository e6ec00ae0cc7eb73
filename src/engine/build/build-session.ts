import type { Semaphore } from '../../lib/semaphore.ts';
import type { Native } from '../../native/native.ts';
import type { TransientContainers } from '../containers/transient.ts';
import type { Digest } from '../images/digest.ts';
import type { ImageHistory, ImageRuntimeConfig, Platform } from '../images/oci-image.ts';
import type { Hold } from '../images/pins.ts';
import type { ImageRoom } from '../images/room.ts';
import type { StoredLayer } from '../images/stored-image.ts';
import type { BuildCache } from './build-cache.ts';
import type { BuildContext } from './build-context.ts';
import type { BuildPlan } from './build-plan.ts';
import type { CacheFolders } from './cache-folders.ts';
import type { ArchiveTimes } from './layer-archive.ts';
import type { ContentDigests } from './layer-content.ts';
import { LayerTree } from './layer-tree.ts';
import type { BuildProgress } from './progress.ts';

/** What a stage has become, or the image that one starts from. */
export interface BuiltStage {
  /** Bottom first. */
  readonly layers: readonly StoredLayer[];
  readonly config: ImageRuntimeConfig;
  readonly history: readonly ImageHistory[];
  readonly platform: Platform;
  readonly author: string | undefined;
  /** Milliseconds since the epoch; of what was taken from the cache, when it was made. */
  readonly createdAt: number;
}

/** What the steps of one build share. */
export interface BuildSession {
  readonly room: ImageRoom;
  readonly native: Native;
  readonly transients: TransientContainers;
  readonly cache: BuildCache;
  readonly cacheFolders: CacheFolders;
  readonly digests: ContentDigests;
  readonly plan: BuildPlan;
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly noCache: boolean;
  readonly network: 'Bridge' | 'Host' | 'None';
  /** Lines of hosts(5). */
  readonly hosts: readonly string[];
  readonly secrets: ReadonlyMap<string, Buffer>;
  /** Sockets of agents, by id. */
  readonly ssh: ReadonlyMap<string, string>;
  readonly context: BuildContext;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
  readonly times: ArchiveTimes;
  readonly held: Hold;
  /** Bounds the steps that work at a time. */
  readonly slots: Semaphore;
  readonly signal: AbortSignal;
  readonly report: (progress: BuildProgress) => void;
  /** Unique in the build. */
  readonly nextId: () => number;
  /** The result of a stage, which is built once. */
  readonly stage: (index: number) => Promise<BuiltStage>;
  /** An image of the store, fetched where it is missing. */
  readonly image: (reference: string, platform: Platform, stepId: number) => Promise<BuiltStage>;
}

/** Chain ID of the topmost layer. */
export function topOf(layers: readonly StoredLayer[]): Digest | undefined {
  return layers.at(-1)?.chainId;
}

/** Folders of unpacked layers, top first, as overlayfs takes them. */
export function layerFolders(room: ImageRoom, layers: readonly StoredLayer[]): string[] {
  return layers.map(({ chainId }) => room.layers.folder(chainId)).reverse();
}

export function treeOf({ room, native }: Pick<BuildSession, 'room' | 'native'>, layers: readonly StoredLayer[]): LayerTree {
  return new LayerTree(layerFolders(room, layers), native);
}
