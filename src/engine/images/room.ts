import type { Digest } from './digest.ts';
import type { ImageStore } from './image-store.ts';
import type { LayerStore } from './layer-store.ts';
import type { Pins } from './pins.ts';
import type { DataDir } from '../store/data-dir.ts';

/** What the operations on images share. */
export interface ImageRoom {
  readonly dataDir: DataDir;
  readonly images: ImageStore;
  readonly layers: LayerStore;
  readonly pins: Pins;
  /** Containers as they are recorded, with the image that each was made from. */
  readonly containers: () => readonly { readonly name: string; readonly imageId: string }[];
  /** Digests of blobs and layers that the cache of builds holds. */
  readonly cached: () => readonly string[];
  /** Blobs that a download or upload of brings in now. */
  readonly incoming: Map<Digest, Promise<void>>;
}
