import type { ImageDetails, ImageEngine } from '../../engine/images.ts';
import type { ContainerName } from '../../spec/name.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { digestsOf, familiarName, isNameless, tagsOf } from './image-names.ts';

/** `ImageDeleteResponseItem`. */
type Removed = { readonly Untagged: string } | { readonly Deleted: string };

const short = (id: string): string => id.replace('sha256:', '').slice(0, 12);

/**
 * Takes a name away, and with the last one the image; by ID all names, unless they are of several repositories. Refuses, as the engine does, what containers
 * are made from. Throws the store's `NotFound`.
 */
export async function removeImage(services: DockerServices, reference: string, { force, keepLayers }: { readonly force: boolean; readonly keepLayers: boolean }): Promise<Removed[]> {
  const { images, told } = services;
  const image = await images.inspect(reference);
  const tags = tagsOf(image);
  const byId = isIdOf(reference, image.id);
  const removed: Removed[] = [];
  const untag = async (name: string): Promise<void> => {
    await images.remove(name, { force: true });
    if (isNameless(name)) return;
    removed.push({ Untagged: familiarName(name) });
    told.image('untag', image.id, image.id);
  };

  if (!byId && tags.length > 1) {
    await untag(nameIn(images, image, reference));
    return removed;
  }
  refuseInUse(services, image, reference, { byId, force, tags });
  if (!byId && runningUser(services, image) !== undefined) {
    await untag(nameIn(images, image, reference)); // by force: the image itself stays with its container
    return removed;
  }
  const digests = digestsOf(image);
  for (const name of image.names) await untag(name);
  removed.push(...digests.map((Untagged) => ({ Untagged })));
  // What a container is made from stays in the store with it.
  if (image.containers.length > 0) return removed;
  removed.push({ Deleted: image.id });
  told.image('delete', image.id, image.id);
  if (keepLayers) return removed;
  const { layers } = await sweep(images);
  const own = image.layerDigests.map(({ chainId }) => chainId).toReversed();
  removed.push(...own.filter((chainId) => layers.includes(chainId)).map((Deleted) => ({ Deleted })));
  return removed;
}

/** Gives the disk back that nothing holds any more. */
export async function sweep(images: ImageEngine): Promise<{ readonly bytes: number; readonly layers: readonly string[] }> {
  return images.prune({ all: false, dryRun: false });
}

/** Whether the reference is the beginning of the ID, as it is not when it is a name that looks like one. */
function isIdOf(reference: string, id: string): boolean {
  const digits = reference.replace(/^sha256:/, '');
  return /^[0-9a-f]{6,64}$/.test(digits) && id.startsWith(`sha256:${digits}`);
}

function nameIn(images: ImageEngine, image: ImageDetails, reference: string): string {
  const wanted = image.names.find((name) => familiarName(name) === reference || familiarName(name) === `${reference}:latest` || name === reference || name === `${reference}:latest`);
  return wanted ?? image.names.find((name) => images.standing(reference)?.imageId === image.id && !isNameless(name)) ?? reference;
}

function refuseInUse(services: DockerServices, image: ImageDetails, reference: string, { byId, force, tags }: { readonly byId: boolean; readonly force: boolean; readonly tags: readonly string[] }): void {
  const [user] = image.containers;
  const running = runningUser(services, image);
  if (!byId) {
    if (user === undefined || force) return;
    throw new DockerError(409, `conflict: unable to remove repository reference ${JSON.stringify(reference)} (must force) - container ${idOf(services, user)} is using its referenced image ${short(image.id)}`);
  }
  if (running !== undefined) throw new DockerError(409, `conflict: unable to delete ${short(image.id)} (cannot be forced) - image is being used by running container ${idOf(services, running)}`);
  if (force) return;
  const repositories = new Set(tags.map((tag) => tag.slice(0, tag.lastIndexOf(':'))));
  if (repositories.size > 1) throw new DockerError(409, `conflict: unable to delete ${short(image.id)} (must be forced) - image is referenced in multiple repositories`);
  if (user !== undefined) throw new DockerError(409, `conflict: unable to delete ${short(image.id)} (must be forced) - image is being used by stopped container ${idOf(services, user)}`);
}

function runningUser({ reconciler }: DockerServices, { containers }: ImageDetails): string | undefined {
  return containers.find((name) => reconciler.view(name as ContainerName)?.status.pid !== undefined);
}

function idOf({ reconciler }: DockerServices, name: string): string {
  return reconciler.view(name as ContainerName)?.status.containerID?.slice(0, 12) ?? name;
}
