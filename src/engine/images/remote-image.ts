import type { RemoteImage } from '../images.ts';
import { digestOf } from './digest.ts';
import { DOCKER_LIST_TYPE, DOCKER_MANIFEST_TYPE, INDEX_TYPE, MANIFEST_TYPE, parseConfig, parseManifest } from './oci-image.ts';
import type { Repository } from './registry/repository.ts';

const MAX_CONFIG_BYTES = 4 * 2 ** 20;

/** What a registry keeps under a reference, without its layers: an index with the platforms that it lists, or one image with its own. */
export async function describeRemote(repository: Repository, name: string): Promise<RemoteImage> {
  const { content } = await repository.manifest();
  const parsed = parseManifest(content, `the manifest of ${name}`);
  const described = { digest: digestOf(content), size: content.length };
  const said = (JSON.parse(content.toString()) as { readonly mediaType?: unknown }).mediaType;
  if ('index' in parsed) {
    const platforms = parsed.index.manifests.flatMap(({ platform }) => (platform === undefined || platform.os === 'unknown' ? [] : [platform]));
    return { ...described, mediaType: said === DOCKER_LIST_TYPE ? DOCKER_LIST_TYPE : INDEX_TYPE, platforms };
  }
  const { os, architecture, variant } = parseConfig(await repository.blob(parsed.manifest.config, MAX_CONFIG_BYTES), `the config of ${name}`);
  return { ...described, mediaType: said === DOCKER_MANIFEST_TYPE ? DOCKER_MANIFEST_TYPE : MANIFEST_TYPE, platforms: [{ os, architecture, ...(variant !== undefined && { variant }) }] };
}
