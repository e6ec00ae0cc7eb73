/** The shapes of the routes that concern the node's disk, shared by the server and the command. */
import type { SystemUsage } from '../../engine/system-usage.ts';

export type SystemUsageReply = { readonly kind: 'SystemUsage' } & SystemUsage;

export interface SystemPruneResult {
  readonly kind: 'SystemPruneResult';
  /** Of images. */
  readonly names: readonly string[];
  readonly blobs: number;
  readonly layers: number;
  /** Of builds, that the cache forgot. */
  readonly steps: number;
  /** Given back, or what would be. */
  readonly bytes: number;
}
