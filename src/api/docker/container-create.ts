import { randomBytes } from 'node:crypto';
import type { ImageDetails } from '../../engine/images.ts';
import { exists } from '../../lib/exists.ts';
import { messageOf, MooringError } from '../../lib/errors.ts';
import type { Container } from '../../spec/container.ts';
import { containerName } from '../../spec/name.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, readJson } from './call.ts';
import { API_LOCATION } from './container-change.ts';
import { dockerNameOf, findContainer, foundContainers, holderOf, recordOf } from './container-lookup.ts';
import { containerOf } from './create/container-of.ts';
import { type CreateBody, createBodySchema } from './create/create-body.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { freePorts } from './free-ports.ts';
import { findImage } from './image-lookup.ts';
import { kept } from './kept.ts';
import { findNetwork } from './network-lookup.ts';
import { randomName } from './random-name.ts';
import { resourceNameFor } from './resource-names.ts';
import { ensureVolume, newVolumeName } from './volume-lookup.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** There where version 2 of control groups is all there is. */
const UNIFIED_FILE = '/sys/fs/cgroup/cgroup.controllers';
/** There where the kernel counts memory and swap together, on either version of control groups. */
const SWAP_FILES = ['/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes', '/sys/fs/cgroup/memory.swap.max'];

/** `POST /containers/create`: a record of what is wanted, and the container made of it, which does not run yet. */
export async function createContainer(call: DockerCall, services: DockerServices): Promise<void> {
  const body = await readJson(call, createBodySchema);
  using claim = claimName(services, call.query.text('name'));
  const { name } = claim;
  if (body.Image === '') throw new DockerError(400, 'Image is required: no image is specified');
  const image = await findImage(services.images, body.Image);
  requirePlatform(image, body.Image, call.query.text('platform'));
  const resource = freeResourceName(services, name);
  const { container, volumes, warnings } = containerOf(body, await contextOf(services, body, image, { docker: name, resource }));
  for (const wanted of volumes) await ensureVolume(services, wanted);
  const Id = await make(services, container, call.signal);
  sendJson(call, { Id, Warnings: warnings }, 201);
}

/** Names of containers that are just being made. */
const claims = kept(() => new Set<string>());

/** The name that is asked for, or one of ours, nobody else's until it is disposed of. Throws 400 and 409 in the engine's words. */
export function claimName(services: DockerServices, asked: string | undefined): Disposable & { readonly name: string } {
  const claimed = claims(services);
  const name = asked?.replace(/^\//, '') ?? randomName((each) => claimed.has(each) || holderOf(services, each) !== undefined);
  if (!NAME.test(name)) throw new DockerError(400, `Invalid container name (${asked}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  const holder = holderOf(services, name);
  if (holder !== undefined || claimed.has(name)) {
    throw new DockerError(409, `Conflict. The container name "/${name}" is already in use by container "${holder?.status.containerID ?? name}". You have to remove (or rename) that container to be able to reuse that name.`);
  }
  claimed.add(name);
  return { name, [Symbol.dispose]: () => void claimed.delete(name) };
}

/** Containers that were renamed keep theirs. */
function freeResourceName({ desired, reconciler }: DockerServices, dockerName: string): string {
  const usual = resourceNameFor(dockerName);
  const name = containerName({ namespace: 'default', name: usual });
  if (desired.get(name) === undefined && reconciler.view(name) === undefined) return usual;
  return `${usual.slice(0, 50).replace(/[^a-z0-9]+$/, '')}-${randomBytes(4).toString('hex')}`;
}

function requirePlatform({ platform }: ImageDetails, name: string, asked: string | undefined): void {
  if (asked === undefined) return;
  const [os, architecture, variant] = asked.split('/');
  const agrees = os === platform.os && (architecture === undefined || architecture === platform.architecture) && (variant === undefined || platform.variant === undefined || variant === platform.variant);
  if (!agrees) throw new DockerError(404, `image with reference ${name} was found but does not match the specified platform: wanted ${asked}, actual: ${platform.os}/${platform.architecture}`);
}

async function contextOf(services: DockerServices, body: CreateBody, image: ImageDetails, names: { readonly docker: string; readonly resource: string }): Promise<Parameters<typeof containerOf>[1]> {
  const { desired, images, insight } = services;
  const containers = desired.listOf('Container').map(({ container }) => container);
  const [unified, ...swap] = await Promise.all([UNIFIED_FILE, ...SWAP_FILES].map((file) => exists(file)));
  return {
    names,
    // By its name, so that this goes on to say what it was made from; by one of the image's own where it was asked for by its ID.
    image: { reference: isName(images, body.Image) ? body.Image : (image.names[0] ?? body.Image), config: image.config.config ?? {} },
    network: (reference) => networkNamed(services, reference),
    container: (reference) => {
      const found = orMissing(() => findContainer(services, reference));
      return found && { name: found.view.container.metadata.name, mounts: insight.record(found.id).container.spec.mounts };
    },
    volume: resourceNameFor,
    newVolumeName,
    freePort: await freePorts(containers),
    hostGateway: foundContainers(services).flatMap(({ id }) => recordOf(services, id)?.networks ?? []).find(({ network }) => network === 'default')?.gateway4,
    swapAccounting: swap.includes(true),
    cgroupVersion: unified === true ? 2 : 1,
  };
}

function isName(images: DockerServices['images'], reference: string): boolean {
  try {
    return images.standing(reference) !== undefined;
  } catch (error) {
    if (error instanceof MooringError && error.code === 'Invalid') return false; // an ID
    throw error;
  }
}

/** Undefined where it throws 404. */
function orMissing<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof DockerError && error.status === 404) return undefined;
    throw error;
  }
}

/** Of a network that is a resource. */
function networkNamed(services: DockerServices, reference: string): string | undefined {
  return orMissing(() => findNetwork(services, reference))?.network?.metadata.name;
}

/** What can't be made is not wanted, either. */
async function make({ desired, reconciler }: DockerServices, container: Container, signal: AbortSignal): Promise<string> {
  const name = containerName(container.metadata);
  desired.apply('api', [{ resource: container, location: API_LOCATION }]);
  try {
    return await reconciler.make(name, signal);
  } catch (error) {
    if (desired.get(name) !== undefined) desired.delete('api', [{ kind: 'Container', name }]);
    if (error instanceof MooringError) throw error;
    throw new DockerError(500, `create container ${dockerNameOf(container)}: ${messageOf(error)}`, { cause: error });
  }
}
