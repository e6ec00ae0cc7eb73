import { randomBytes } from 'node:crypto';
import type { ImageEngine, ImageSummary } from '../../engine/images.ts';
import { DEFAULT_REGISTRY, formatImageReference, type ImageReference, parseImageReference } from '../../spec/image-reference.ts';
import { DockerError } from './error-reply.ts';

/** In Mooring's store every image has a name; these stand for having none. */
const NAMELESS = /^mooring\.local\/(build|loaded|untagged):[0-9a-f]{12}$/;

export function isNameless(name: string): boolean {
  return NAMELESS.test(name);
}

/** A name for an image that is to have none. */
export function namelessName(): string {
  return `mooring.local/untagged:${randomBytes(6).toString('hex')}`;
}

/** As people write it: `docker.io/library/redis:7` is `redis:7`. */
export function familiarName(name: string): string {
  const prefix = `${DEFAULT_REGISTRY}/`;
  if (!name.startsWith(prefix)) return name;
  return name.slice(prefix.length).replace(/^library\/(?=[^/]+$)/, '');
}

/** The names of an image as clients see them. */
export function tagsOf({ names }: Pick<ImageSummary, 'names'>): string[] {
  return names.filter((name) => !isNameless(name) && !name.includes('@')).map(familiarName).toSorted();
}

export function digestsOf({ repoDigests }: Pick<ImageSummary, 'repoDigests'>): string[] {
  return repoDigests.map(familiarName).filter((name) => !name.startsWith('mooring.local/untagged@')).toSorted();
}

/** `name` and `tag` of a query make one reference; the tag may be a digest. Throws 400. */
export function joinReference(name: string, tag: string | undefined): string {
  if (tag === undefined) return name;
  const { tag: own, digest } = parsed(name);
  if (digest !== undefined) return name;
  // A name that has a tag gets the other in its place, as with the engine.
  const bare = own === undefined || !name.endsWith(`:${own}`) ? name : name.slice(0, -own.length - 1);
  const reference = tag.startsWith('sha256:') ? `${bare}@${tag}` : `${bare}:${tag}`;
  parsed(reference);
  return reference;
}

/** A name as the engine judges it. Throws 400. */
export function parsed(name: string): ImageReference {
  try {
    return parseImageReference(name);
  } catch {
    throw new DockerError(400, /[A-Z]/.test(name.split(/[/:@]/)[0] ?? '') && !/[.:]/.test(name.split('/')[0] ?? '') ? `invalid reference format: repository name must be lowercase` : 'invalid reference format');
  }
}

/** What the engine calls an image that is not there: with its tag. */
export function sought(name: string): string {
  if (/^(sha256:)?[0-9a-f]{64}$/.test(name)) return name.startsWith('sha256:') ? name : `sha256:${name}`;
  return familiarName(formatImageReference(parsed(name)));
}

/**
 * Has names come to stand for another image than before, while what they stood for stays, without a name: the engine keeps such images, too. Gives what
 * `work` does.
 */
export async function keepingUntagged<T>(images: Pick<ImageEngine, 'standing' | 'tag' | 'remove'>, names: readonly string[], work: () => Promise<T>): Promise<T> {
  const before = names.flatMap((name) => {
    const imageId = images.standing(name)?.imageId;
    return imageId === undefined ? [] : [{ name, imageId, kept: namelessName() }];
  });
  for (const { name, kept } of before) await images.tag(name, kept);
  try {
    return await work();
  } finally {
    for (const { name, imageId, kept } of before) if (images.standing(name)?.imageId === imageId) await images.remove(kept, { force: true });
  }
}
