import type { ContainerName } from '../spec/name.ts';
import type { DesiredContainer } from './desired.ts';

/** Builds the images of containers with `spec.build`, as far as the reconciler is concerned. */
export interface BuildSource {
  /** ID of the image that was built from what is desired, as its context is now; undefined while a build is due. */
  built(desired: DesiredContainer): string | undefined;
  /** Builds it, under the name in `spec.image`. `onProgress` is told now and then, in words for people. */
  build(desired: DesiredContainer, onProgress: (message: string) => void, signal: AbortSignal): Promise<void>;
  /** What is desired of a container now. A context that nothing is built from any more is not watched. */
  follow(name: ContainerName, desired: DesiredContainer | undefined): void;
  /** Hears of containers whose context may have changed. Returns the function that unsubscribes. */
  subscribe(listener: (name: ContainerName) => void): () => void;
}
