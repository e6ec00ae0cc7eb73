/** The shapes of the build routes, shared by the server and the command. */
import type { BuildCacheUsage, BuildOutput, BuildProgress } from '../../engine/builds.ts';
import type { ErrorBody } from './types.ts';

export type { BuildCacheUsage, BuildOutput, BuildProgress };

/**
 * The first line of the body of `POST /v1/builds`, as JSON. With a context of kind `archive`, that archive follows: tar, plain or compressed. All paths are
 * absolute and the node's. What is not given is as a build without it has it.
 */
export interface BuildOrder {
  readonly context: { readonly kind: 'folder'; readonly path: string } | { readonly kind: 'git'; readonly address: string } | { readonly kind: 'archive' } | { readonly kind: 'none' };
  readonly dockerfile: { readonly kind: 'context'; readonly path: string } | { readonly kind: 'file'; readonly path: string } | { readonly kind: 'text'; readonly name: string; readonly content: string };
  readonly tags?: readonly string[];
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly platform?: string;
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly network?: 'default' | 'host' | 'none';
  /** `name:address`. */
  readonly addHosts?: readonly string[];
  /** In base64, by id. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Sockets of agents, by id. */
  readonly ssh?: Readonly<Record<string, string>>;
  readonly outputs?: readonly BuildOutput[];
}

/** One line of the reply. The last one is DONE or ERROR. */
export type BuildEvent =
  | BuildProgress
  | { readonly type: 'DONE'; readonly imageId: string; readonly manifestDigest: string; readonly names: readonly string[] }
  | { readonly type: 'ERROR'; readonly error: ErrorBody['error'] };

export interface BuildCachePruned {
  readonly steps: number;
  /** Of disk, that the next prune of images gives back. */
  readonly bytes: number;
}
