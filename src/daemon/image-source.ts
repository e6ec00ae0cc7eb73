import type { ImageEngine, ImageProgress, LayerState } from '../engine/images.ts';
import { MooringError } from '../lib/errors.ts';
import type { ImageSource } from '../reconcile/image-source.ts';

const TELL_EVERY_MS = 1000;
const DONE: ReadonlySet<LayerState> = new Set(['Done', 'Exists']);

/** The image engine as the reconciler needs it: whether an image is whole, and pulls told of in words. */
export function createImageSource(images: Pick<ImageEngine, 'resolves' | 'pull'>): ImageSource {
  return {
    has: (image) => images.resolves(image),
    async pull(image, onProgress, signal) {
      const layers = new Map<string, ImageProgress & { type: 'LAYER' }>();
      let toldAt = 0;
      await images.pull(image, {
        signal,
        onProgress(progress) {
          if (progress.type !== 'LAYER') return;
          layers.set(progress.digest, progress);
          const now = Date.now();
          if (now - toldAt < TELL_EVERY_MS) return;
          toldAt = now;
          onProgress(describe(image, [...layers.values()]));
        },
      }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error instanceof MooringError ? error : new MooringError('Internal', `fetch image ${image}`, { cause: error });
      });
    },
  };
}

function describe(image: string, layers: readonly (ImageProgress & { type: 'LAYER' })[]): string {
  const done = layers.filter(({ state }) => DONE.has(state)).length;
  const sum = (values: readonly number[]): string => (values.reduce((total, value) => total + value, 0) / 1e6).toFixed(1);
  return `fetches image ${image}: ${done} of ${layers.length} layers, ${sum(layers.map(({ bytes }) => bytes))} of ${sum(layers.map(({ size }) => size))} MB`;
}
