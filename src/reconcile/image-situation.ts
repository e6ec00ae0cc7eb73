import type { ObservedContainer } from '../engine/engine.ts';
import type { DesiredContainer } from './desired.ts';
import type { ImageSource } from './image-source.ts';
import type { ImageSituation } from './situation.ts';

/** How things stand with the image of a container that is to be made; undefined where none is. `fetched` is what was fetched for it already. */
export async function imageSituation(
  images: Pick<ImageSource, 'has'>,
  desired: DesiredContainer | undefined,
  observed: ObservedContainer | undefined,
  fetched?: string,
): Promise<ImageSituation | undefined> {
  if (desired === undefined || desired.specHash === observed?.specHash) return undefined;
  const { image } = desired.container.spec;
  return { name: image, isThere: await images.has(image), isFresh: fetched === image };
}
