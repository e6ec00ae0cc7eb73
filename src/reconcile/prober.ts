import type { ContainerId } from '../engine/engine.ts';
import type { ImageHealthcheck } from '../engine/images/oci-image.ts';
import { MooringError } from '../lib/errors.ts';

/** What the reconciler needs of the rooms below to probe containers. */
export interface Prober {
  /** What the image with that id asks for. */
  imageHealthcheck(imageId: string): Promise<ImageHealthcheck | null | undefined>;
  /**
   * Runs a command in the container, and settles once it has ended: with -1 where it was killed after `timeoutMs` milliseconds. `output` is at most 4 KiB of
   * what it wrote. `Conflict` and `NotFound` where the container does not run, or is paused.
   */
  probe(id: ContainerId, command: readonly string[], timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }>;
}

export const noProber: Prober = {
  imageHealthcheck: () => Promise.resolve(undefined),
  probe: () => Promise.reject(new MooringError('Unsupported', 'there is nobody to probe containers')),
};
