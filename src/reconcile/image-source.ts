/** Where images come from, as far as the reconciler is concerned. */
export interface ImageSource {
  /** Whether containers can be made from the image now. */
  has(image: string): Promise<boolean>;
  /** Fetches it from its registry. `onProgress` is told now and then, in words for people. */
  pull(image: string, onProgress: (message: string) => void, signal: AbortSignal): Promise<void>;
}

/** Stands for a node whose images are all there. */
export const allImagesThere: ImageSource = { has: () => Promise.resolve(true), pull: () => Promise.resolve() };
