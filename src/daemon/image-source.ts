import type { ImageEngine, ImageProgress, LayerState } from '../engine/images.ts';
import { MooringError } from '../lib/errors.ts';
import type { PullSecrets } from '../engine/images/registry/pull-secrets.ts';
import { firstCredentials, type CredentialFinder } from '../lib/credentials.ts';
import type { BuildSource } from '../reconcile/build-source.ts';
import type { ImageRequest, ImageSource } from '../reconcile/image-source.ts';

const TELL_EVERY_MS = 1000;
const DONE: ReadonlySet<LayerState> = new Set(['Done', 'Exists']);

/** The image engine as the reconciler needs it: whether an image is whole, what its tag stands for, and pulls told of in words. */
export function createImageSource(images: Pick<ImageEngine, 'resolves' | 'standing' | 'latestDigest' | 'pull'>, secrets: PullSecrets, builds: BuildSource): ImageSource {
  const credentialsFor = async ({ namespace, pullSecrets }: ImageRequest): Promise<{ readonly credentials?: CredentialFinder }> => {
    if (pullSecrets.length === 0) return {};
    return { credentials: firstCredentials(...(await Promise.all(pullSecrets.map((name) => secrets(namespace, name))))) };
  };
  return {
    builds,
    has: (image) => images.resolves(image),
    standing: (image) => images.standing(image),
    latest: async (request, signal) => images.latestDigest(request.image, { signal, ...(await credentialsFor(request)) }),
    async pull(request, onProgress, signal) {
      const { image } = request;
      const credentials = await credentialsFor(request);
      const layers = new Map<string, ImageProgress & { type: 'LAYER' }>();
      let toldAt = 0;
      await images.pull(image, {
        ...credentials,
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
