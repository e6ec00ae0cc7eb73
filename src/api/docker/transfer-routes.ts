import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fetchUrl } from '../../engine/images/fetch-url.ts';
import { parsePlatform } from '../../engine/images/platform.ts';
import type { ImageEngine } from '../../engine/images.ts';
import { MooringError } from '../../lib/errors.ts';
import { formatImageReference } from '../../spec/image-reference.ts';
import { takeBody } from '../request-body.ts';
import { type DockerCall, param } from './call.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { asMissing } from './image-lookup.ts';
import { familiarName, isNameless, joinReference, keepingUntagged, namelessName, parsed, sought, tagsOf } from './image-names.ts';
import { sendObjects } from './json-stream.ts';
import { credentialsFor } from './registry-auth.ts';
import type { DockerRoute } from './route.ts';
import { shortDigest, TransferLines } from './transfer-progress.ts';

/** How images come to the node and leave it. */
export const transferRoutes: readonly DockerRoute[] = [
  { method: 'POST', path: '/images/create', handle: (call, services) => (call.query.text('fromSrc') === undefined ? pull(call, services) : importArchive(call, services)) },
  { method: 'POST', path: '/images/:name/push', handle: push },
  { method: 'POST', path: '/images/load', handle: load },
  { method: 'GET', path: '/images/get', handle: (call, { images }) => save(call, images, call.query.all('names').flatMap((names) => names.split(','))) },
  { method: 'GET', path: '/images/:name/get', handle: (call, { images }) => save(call, images, [param(call, 'name')]) },
];

async function pull(call: DockerCall, { images, told }: DockerServices): Promise<void> {
  const name = joinReference(call.query.required('fromImage'), call.query.text('tag'));
  const { repository, tag, digest } = parsed(name);
  if (digest === undefined && !name.endsWith(`:${tag}`)) throw new DockerError(501, `Mooring pulls one tag at a time: say which one of ${name} with "tag"`);
  const platform = call.query.text('platform');
  const full = formatImageReference(parsed(name));
  const familiar = familiarName(full);
  const lines = new TransferLines('pull', shortDigest);
  const before = images.standing(full)?.imageId;
  const work = async (): Promise<void> => {
    const image = await images.pull(name, {
      signal: call.signal,
      onProgress: (progress) => {
        if (progress.type === 'LAYER') return lines.layer(progress);
        lines.say({ status: `Pulling from ${repository}`, id: digest ?? tag ?? 'latest' });
      },
      ...(platform !== undefined && { platform: parsePlatform(platform) }),
      ...credentialsFor(call, images.registryOf(name)),
    });
    const known = images.standing(full)?.repoDigest;
    if (known !== null && known !== undefined) lines.say({ status: `Digest: ${known}` });
    lines.say({ status: `Status: ${before === image.id ? 'Image is up to date' : 'Downloaded newer image'} for ${familiar}` });
    told.image('pull', image.id, familiar);
  };
  const pulling = keepingUntagged(images, [full], work).catch((error: unknown) => {
    throw error instanceof MooringError && error.code === 'NotFound' ? new DockerError(404, `manifest for ${familiar} not found: ${error.message}`, { cause: error }) : error;
  });
  await sendObjects(call, lines.lines.during(pulling));
}

async function importArchive(call: DockerCall, { images, told }: DockerServices): Promise<void> {
  const { query } = call;
  const source = query.required('fromSrc');
  const repository = query.text('repo');
  const name = repository === undefined ? namelessName() : joinReference(repository, query.text('tag'));
  const platform = query.text('platform');
  if (platform !== undefined && parsePlatform(platform).os !== 'linux') throw new DockerError(400, `Mooring has no images of platform ${platform}`);
  const message = query.text('message');
  const options = { changes: query.all('changes'), signal: call.signal, ...(message !== undefined && { message }) };
  const image = await keepingUntagged(images, [name], () => takeBody(call, (body) => images.import(source === '-' ? body : fetchUrl(source.includes('://') ? source : `http://${source}`, call.signal), name, options)));
  if (repository !== undefined) told.image('tag', image.id, sought(name));
  told.image('import', image.id, image.id);
  await sendObjects(call, Readable.from([{ status: image.id }]));
}

async function push(call: DockerCall, { images, told }: DockerServices): Promise<void> {
  const { tag, repository, registry } = parsed(param(call, 'name'));
  const wanted = call.query.text('tag') ?? (param(call, 'name').endsWith(`:${tag}`) ? tag : undefined);
  const bare = familiarName(`${registry}/${repository}`);
  const names = wanted === undefined ? (await images.list()).flatMap(tagsOf).filter((each) => each.slice(0, each.lastIndexOf(':')) === bare) : [`${bare}:${wanted}`];
  const lines = new TransferLines('push', (digest) => labels.get(digest));
  const labels = new Map<string, string>();
  if (names.length === 0) throw new DockerError(404, `An image does not exist locally with the tag: ${bare}`);
  const work = async (): Promise<void> => {
    lines.say({ status: `The push refers to repository [${registry}/${repository}]` });
    for (const name of names) {
      const image = await images.inspect(name).catch((error: unknown) => {
        throw error instanceof MooringError && error.code === 'NotFound' ? new DockerError(404, `tag does not exist: ${name}`) : error;
      });
      for (const { digest, diffId } of image.layerDigests) labels.set(digest, shortDigest(diffId));
      const onProgress = (progress: Parameters<TransferLines['layer']>[0] | { readonly type: 'RESOLVED' }): void => {
        if (progress.type === 'LAYER') lines.layer(progress);
      };
      const { digest, size } = await images.push(name, { signal: call.signal, onProgress, ...credentialsFor(call, images.registryOf(name)) });
      const pushed = name.slice(name.lastIndexOf(':') + 1);
      lines.say({ status: `${pushed}: digest: ${digest} size: ${size}` });
      lines.say({ progressDetail: {}, aux: { Tag: pushed, Digest: digest, Size: size } });
      told.image('push', image.id, name);
    }
  };
  await sendObjects(call, lines.lines.during(work()));
}

async function load(call: DockerCall, { images, told }: DockerServices): Promise<void> {
  const loaded = await takeBody(call, (archive) => images.load(archive, call.signal));
  for (const { id } of loaded) told.image('load', id, id);
  await sendObjects(call, Readable.from(loaded.map(({ id, loadedName }) => ({ stream: isNameless(loadedName) ? `Loaded image ID: ${id}\n` : `Loaded image: ${familiarName(loadedName)}\n` }))));
}

async function save(call: DockerCall, images: ImageEngine, names: readonly string[]): Promise<void> {
  if (names.length === 0) throw new DockerError(400, 'the query lacks "names"');
  for (const name of names) {
    await images.inspect(name).catch((error: unknown) => {
      throw error instanceof MooringError && error.code === 'NotFound' ? new DockerError(404, `No such image: ${name}`) : error;
    });
  }
  const archive = await images.save(names, 'docker').catch((error: unknown) => {
    throw asMissing(error, names[0] ?? '');
  });
  call.response.writeHead(200, { 'content-type': 'application/x-tar' });
  await pipeline(Readable.from(archive, { objectMode: false }), call.response);
}
