import type { ObservedContainer } from '../engine/engine.ts';
import type { DesiredContainer } from './desired.ts';
import type { ImageSource, StandingImage } from './image-source.ts';
import type { ImageSituation, MovedImage } from './situation.ts';

export interface ImageKnowledge {
  /** What was fetched already for the container that is to be made. */
  readonly fetched?: string | undefined;
  /** What the registry was last heard to keep under a followed tag. */
  readonly latest?: string | undefined;
}

/** How things stand with the image of a container that is to be made, or whose tag is followed and has moved; undefined for any other. */
export async function imageSituation(
  images: Pick<ImageSource, 'has' | 'standing'>,
  desired: DesiredContainer | undefined,
  observed: ObservedContainer | undefined,
  { fetched, latest }: ImageKnowledge = {},
): Promise<ImageSituation | undefined> {
  if (desired === undefined) return undefined;
  const { image, imageUpdatePolicy } = desired.container.spec;
  const isSame = desired.specHash === observed?.specHash;
  const moved = isSame && imageUpdatePolicy !== undefined ? movedImage(image, images.standing(image), observed.imageId, latest) : undefined;
  if (isSame && moved === undefined) return undefined;
  return { name: image, isThere: await images.has(image), isFresh: fetched === image, ...(moved && { moved }) };
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
