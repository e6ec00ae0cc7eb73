import type { ContainerSpec } from './container.ts';
import { parseImageReference } from './image-reference.ts';

export type ImagePullPolicy = NonNullable<ContainerSpec['imagePullPolicy']>;

/** Images in this registry are made on the node itself; there is nowhere to pull them from. */
const OWN_REGISTRY = 'mooring.local';

/** The policy in force, with Kubernetes' defaults: `Always` for `latest`, which moves, and else `IfNotPresent`. */
export function imagePullPolicyOf({ image, imagePullPolicy }: Pick<ContainerSpec, 'image' | 'imagePullPolicy'>): ImagePullPolicy {
  const { registry, tag, digest } = parseImageReference(image);
  if (registry === OWN_REGISTRY) return 'Never';
  return imagePullPolicy ?? (tag === 'latest' && digest === undefined ? 'Always' : 'IfNotPresent');
}
