import type { ObservedContainer } from '../engine/engine.ts';
import type { DesiredContainer } from './desired.ts';
import type { ImageSource, StandingImage } from './image-source.ts';
import type { ImageSituation, MovedImage } from './situation.ts';

export interface ImageKnowledge {
  /** What was fetched already for the container that is to be made. */
  readonly fetched?: string | undefined;
  /** What the registry was last heard to keep under a followed tag. */
  readonly latest?: string | undefined;
  /** A container of the same spec is to take the place of the one that is there. */
  readonly isRenewed?: boolean;
}

/** How things stand with the image of a container that is to be made, or whose tag is followed and has moved; undefined for any other. */
export async function imageSituation(
  images: Pick<ImageSource, 'has' | 'standing' | 'builds'>,
  desired: DesiredContainer | undefined,
  observed: ObservedContainer | undefined,
  { fetched, latest, isRenewed = false }: ImageKnowledge = {},
): Promise<ImageSituation | undefined> {
  if (desired === undefined) return undefined;
  const { image, imageUpdatePolicy, build } = desired.container.spec;
  if (build !== undefined) return builtSituation(images, desired, observed);
  const isSame = desired.specHash === observed?.specHash;
  const moved = isSame && imageUpdatePolicy !== undefined ? movedImage(image, images.standing(image), observed.imageId, latest) : undefined;
  if (isSame && moved === undefined && !isRenewed) return undefined;
  return { name: image, isThere: await images.has(image), isFresh: fetched === image, ...(moved && { moved }) };
}

/** An image that is built here is looked at for every container: its context may change at any time. */
async function builtSituation(images: Pick<ImageSource, 'has' | 'builds'>, desired: DesiredContainer, observed: ObservedContainer | undefined): Promise<ImageSituation> {
  const name = desired.container.spec.image;
  const built = images.builds?.built(desired);
  const isThere = await images.has(name);
  // Its name may have been taken away, or given to something else, since it was built.
  if (built === undefined || !isThere) return { name, isThere, isFresh: false, build: 'Due' };
  const isOther = observed !== undefined && observed.specHash === desired.specHash && observed.imageId !== built;
  return { name, isThere, isFresh: true, build: 'Done', ...(isOther && { moved: { isFetched: true, message: `${name} was built anew: it is image ${built} now, and the container was made from ${observed.imageId}` } }) };
}

function movedImage(image: string, standing: StandingImage | undefined, madeFrom: string, latest: string | undefined): MovedImage | undefined {
  if (latest !== undefined && standing?.repoDigest !== latest) {
    return { isFetched: false, message: `${image} is ${latest} in its registry now, and the node has ${standing?.repoDigest ?? 'none that came from there'}` };
  }
  if (standing === undefined || standing.imageId === madeFrom) return undefined;
  return { isFetched: true, message: `${image} is image ${standing.imageId} now, and the container was made from ${madeFrom}` };
}

/** What was observed, with the drift that a moved tag is. */
export function withImageDrift(observed: ObservedContainer | undefined, image: ImageSituation | undefined): ObservedContainer | undefined {
  if (observed === undefined || image?.moved === undefined) return observed;
  return { ...observed, drift: [...observed.drift, { kind: 'Image', message: image.moved.message }] };
}
