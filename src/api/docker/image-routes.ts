import type { ImageEngine } from '../../engine/images.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param, sendStatus } from './call.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { asMissing, filterImages, findImage, listImages, LIST_FILTERS, PRUNE_FILTERS } from './image-lookup.ts';
import { joinReference, keepingUntagged, sought, tagsOf } from './image-names.ts';
import { historyObjects, imageEntry, imageObject } from './image-object.ts';
import { removeImage, sweep } from './image-removal.ts';
import type { DockerRoute } from './route.ts';

/** What concerns the images of the node. Transfers are in `transfer-routes.ts`. */
export const imageRoutes: readonly DockerRoute[] = [
  { method: 'GET', path: '/images/json', handle: (call, { images }) => list(call, images) },
  { method: 'GET', path: '/images/:name/json', handle: inspect },
  {
    method: 'GET',
    path: '/images/:name/history',
    handle: async (call, { images }) => {
      const image = await findImage(images, param(call, 'name'));
      sendJson(call, historyObjects(image, await images.history(image.id)));
    },
  },
  { method: 'POST', path: '/images/:name/tag', handle: tag },
  { method: 'DELETE', path: '/images/:name', handle: remove },
  { method: 'POST', path: '/images/prune', handle: prune },
];

/** Every node has it. */
const OWN_IMAGE = 'mooring.local/busybox:latest';

async function list(call: DockerCall, images: ImageEngine): Promise<void> {
  const filters = call.query.filters(LIST_FILTERS);
  sendJson(call, (await filterImages(images, await listImages(images), filters)).map(imageEntry));
}

async function inspect(call: DockerCall, { images }: DockerServices): Promise<void> {
  const name = param(call, 'name');
  const image = await findImage(images, name).catch((error: unknown) => {
    throw error instanceof DockerError && error.status === 404 ? new DockerError(404, `no such image: ${name}: ${error.message}`) : error;
  });
  sendJson(call, imageObject(image));
}

async function tag(call: DockerCall, { images, told }: DockerServices): Promise<void> {
  const image = await findImage(images, param(call, 'name'));
  const name = joinReference(call.query.required('repo'), call.query.text('tag'));
  if (name.includes('@')) throw new DockerError(400, 'refusing to create a tag with a digest reference');
  await keepingUntagged(images, [name], () => images.tag(image.id, name));
  told.image('tag', image.id, sought(name));
  sendStatus(call, 201);
}

async function remove(call: DockerCall, services: DockerServices): Promise<void> {
  const name = param(call, 'name');
  try {
    sendJson(call, await removeImage(services, name, { force: call.query.flag('force'), keepLayers: call.query.flag('noprune') }));
  } catch (error) {
    throw asMissing(error, name);
  }
}

async function prune(call: DockerCall, services: DockerServices): Promise<void> {
  const { images, told } = services;
  const filters = call.query.filters(PRUNE_FILTERS);
  const onlyDangling = filters.flag('dangling') ?? true;
  const meant = await filterImages(images, await listImages(images), filters.without('dangling'));
  const leaving = meant.filter((image) => image.containers.length === 0 && (!onlyDangling || tagsOf(image).length === 0));
  const ImagesDeleted: object[] = [];
  for (const image of leaving) {
    const names = image.names.filter((name) => name !== OWN_IMAGE);
    for (const name of names) await images.remove(name, { force: true });
    ImagesDeleted.push(...tagsOf({ names }).map((Untagged) => ({ Untagged })));
    if (names.length < image.names.length) continue;
    ImagesDeleted.push({ Deleted: image.id });
    told.image('delete', image.id, image.id);
  }
  const { bytes, layers } = await sweep(images);
  if (leaving.length > 0) ImagesDeleted.push(...layers.map((Deleted) => ({ Deleted })));
  told.prune('image', bytes);
  sendJson(call, { ImagesDeleted: ImagesDeleted.length === 0 ? null : ImagesDeleted, SpaceReclaimed: bytes });
}
