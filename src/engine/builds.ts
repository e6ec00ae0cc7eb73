import type { BuildCachePruneOptions, BuildCacheUsage } from './build/build-cache.ts';
import type { ContextSource, DockerfileSource } from './build/build-context.ts';
import type { BuildProgress } from './build/progress.ts';
import type { CredentialFinder } from '../lib/credentials.ts';
import type { Platform } from './images/oci-image.ts';

export type { BuildCachePruneOptions, BuildCacheUsage, BuildProgress, ContextSource, DockerfileSource };

/** Where a build's result goes beside the store: a folder or a file of this node, absolute. */
export interface BuildOutput {
  /** `local` and `tar`: the file system; `oci` and `docker`: an archive of the image. */
  readonly type: 'local' | 'tar' | 'oci' | 'docker';
  readonly destination: string;
}

/** One build, all paths absolute and of this node. */
export interface BuildRequest {
  readonly context: ContextSource;
  readonly dockerfile: DockerfileSource;
  /** Names to give the image; without any, and without outputs, it gets one of its own in `mooring.local/build`. */
  readonly tags: readonly string[];
  readonly target?: string;
  readonly buildArguments: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly platform?: Platform;
  readonly noCache: boolean;
  /** Ask registries for base images that are here already, too. */
  readonly pull: boolean;
  readonly network: 'Bridge' | 'Host' | 'None';
  /** `name:address`. */
  readonly addHosts: readonly string[];
  readonly secrets: ReadonlyMap<string, Buffer>;
  /** Sockets of agents on this node, by id. */
  readonly ssh: ReadonlyMap<string, string>;
  readonly outputs: readonly BuildOutput[];
}

export interface BuildResult {
  /** Digest of the config. */
  readonly imageId: string;
  readonly manifestDigest: string;
  readonly names: readonly string[];
}

export interface BuildOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: BuildProgress) => void;
  /** Asked for a login before those that the node itself has. */
  readonly credentials?: CredentialFinder;
}

/** Builds images from Dockerfiles on this node. */
export interface BuildEngine {
  /** Throws with the Dockerfile's line where that is at fault. What was made until then stays in the cache. */
  build(request: BuildRequest, options: BuildOptions): Promise<BuildResult>;
  cacheUsage(): Promise<BuildCacheUsage>;
  pruneCache(options: BuildCachePruneOptions): Promise<{ readonly steps: number; readonly bytes: number }>;
}
