import { MooringError } from '../../lib/errors.ts';
import { formatImageReference, parseImageReference } from '../../spec/image-reference.ts';
import type { TransferOptions } from '../images.ts';
import { type Digest, parseDigest } from './digest.ts';
import { giveName } from './naming.ts';
import type { Descriptor } from './oci-image.ts';
import { layerProgress } from './pull.ts';
import type { RegistrySettings } from './registry/registry-settings.ts';
import { Repository } from './registry/repository.ts';
import type { ImageRoom } from './room.ts';
import { digestsOf, readStoredImage } from './stored-image.ts';

const UPLOADS = 3;

/** Sends an image to the registry in its name: first its blobs, unless they are there or in another repository there, then its manifest. */
export async function pushImage(room: ImageRoom, text: string, settings: RegistrySettings, { signal, onProgress = () => {} }: TransferOptions): Promise<{ digest: Digest; size: number }> {
  const reference = parseImageReference(text, settings.defaultRegistry);
  const name = formatImageReference(reference);
  if (reference.digest !== undefined) throw new MooringError('Invalid', `${name} can't be pushed by digest`, { fix: 'push it by a tag' });
  const { named } = room.images.find(name);
  if (!named) throw new MooringError('NotFound', `image ${name} is not in the store`);
  const image = await readStoredImage(room, named);
  const digest = parseDigest(named.manifestDigest);
  using held = room.pins.open();
  await held.add(digestsOf(digest, image.manifest, image.layers));
  const sources = await otherRepositories(room, reference.registry, reference.repository);
  const endpoint = { host: reference.registry, repository: reference.repository };
  await using repository = await Repository.open(reference, endpoint, { actions: 'pull,push', from: [...new Set(sources.values())], settings, signal });
  const descriptors = [...new Map([...image.manifest.layers, image.manifest.config].map((descriptor) => [descriptor.digest, descriptor])).values()];
  onProgress({ type: 'RESOLVED', name, digest, layers: descriptors.map(({ digest: blob, size }) => ({ digest: blob, size })) });
  for (const descriptor of descriptors) onProgress(layerProgress(descriptor, 'Waiting', 0));
  const pending = [...descriptors];
  const worker = async (): Promise<void> => {
    for (let descriptor = pending.shift(); descriptor !== undefined; descriptor = pending.shift()) await sendBlob(descriptor);
  };
  const sendBlob = async (descriptor: Descriptor): Promise<void> => {
    if (await repository.hasBlob(descriptor.digest)) return onProgress(layerProgress(descriptor, 'Exists', descriptor.size));
    const file = room.images.blobs.file(descriptor.digest);
    const how = await repository.upload(descriptor, file, sources.get(descriptor.digest), (bytes) => onProgress(layerProgress(descriptor, 'Uploading', bytes)));
    onProgress(layerProgress(descriptor, how === 'mounted' ? 'Mounted' : 'Done', descriptor.size));
  };
  const failures: unknown[] = [];
  await Promise.all(
    Array.from({ length: UPLOADS }, () =>
      worker().catch((error: unknown) => {
        pending.length = 0;
        failures.push(error);
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
  await repository.putManifest(image.manifestContent, image.mediaType);
  await giveName(room, { ...named, repoDigest: digest });
  return { digest, size: image.manifestContent.length };
}

/** Which blobs are known to lie in another repository of that registry, since an image came from there. */
async function otherRepositories(room: ImageRoom, registry: string, repository: string): Promise<Map<Digest, string>> {
  const found = new Map<Digest, string>();
  for (const record of room.images.list()) {
    const other = parseImageReference(record.name);
    if (record.repoDigest === null || other.registry !== registry || other.repository === repository) continue;
    const { manifest } = await readStoredImage(room, record);
    for (const { digest } of manifest.layers) found.set(digest, other.repository);
  }
  return found;
}
