import type { Container } from '../spec/container.ts';
import type { BuildSource } from './build-source.ts';

/** An image as a container asks for it. */
export interface ImageRequest {
  readonly image: string;
  /** Where its pull secrets are looked up. */
  readonly namespace: string;
  /** Names of secrets with logins to try. */
  readonly pullSecrets: readonly string[];
}

/** What a name stands for on this node. */
export interface StandingImage {
  readonly imageId: string;
  /** What the registry called it when it came from there; null for what came another way. */
  readonly repoDigest: string | null;
}

/** Where images come from, as far as the reconciler is concerned. */
export interface ImageSource {
  /** Whether containers can be made from the image now. */
  has(image: string): Promise<boolean>;
  /** Undefined where the node knows no such name. */
  standing(image: string): StandingImage | undefined;
  /** The digest that the registry keeps under the tag now. Fetches nothing. */
  latest(request: ImageRequest, signal: AbortSignal): Promise<string>;
  /** Fetches it from its registry. `onProgress` is told now and then, in words for people. */
  pull(request: ImageRequest, onProgress: (message: string) => void, signal: AbortSignal): Promise<void>;
  /** Where images of containers with `spec.build` come from; without it they can't be had. */
  readonly builds?: BuildSource;
}

export function imageRequest({ metadata, spec }: Container): ImageRequest {
  return { image: spec.image, namespace: metadata.namespace, pullSecrets: spec.imagePullSecrets.map(({ name }) => name) };
}

/** Stands for a node whose images are all there. */
export const allImagesThere: ImageSource = { has: () => Promise.resolve(true), standing: () => undefined, latest: () => Promise.resolve(''), pull: () => Promise.resolve() };
