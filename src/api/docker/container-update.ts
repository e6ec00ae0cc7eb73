import { z } from 'zod';
import type { Container } from '../../spec/container.ts';
import { sendJson } from '../reply.ts';
import { type DockerCall, param, readJson, sendStatus } from './call.ts';
import { changeContainer } from './container-change.ts';
import { claimName } from './container-create.ts';
import { attributesOf } from './container-events.ts';
import { dockerNameOf, findContainer } from './container-lookup.ts';
import { requestOf } from './container-request.ts';
import { NAME_ANNOTATION, REQUEST_ANNOTATION } from './create/container-of.ts';
import type { HostConfig } from './create/create-body.ts';
import { resourcesOf } from './create/resources-of.ts';
import { restartOf } from './create/restart-of.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { validate } from '../../spec/validate.ts';

const number = z.number().nullish();
const text = z.string().nullish();

/** What an update may say; what it leaves out, or 0, stays. */
const updateSchema = z.looseObject({
  CpuShares: number,
  Memory: number,
  NanoCpus: number,
  BlkioWeight: number,
  CpuPeriod: number,
  CpuQuota: number,
  CpusetCpus: text,
  CpusetMems: text,
  MemoryReservation: number,
  MemorySwap: number,
  PidsLimit: number,
  RestartPolicy: z.object({ Name: text.transform((name) => name ?? ''), MaximumRetryCount: number.transform((count) => count ?? 0) }).nullish(),
});
type Update = z.output<typeof updateSchema>;

/** `POST /containers/{id}/update`. */
export async function updateContainer(call: DockerCall, services: DockerServices): Promise<void> {
  const update = await readJson(call, updateSchema);
  const { id, view } = findContainer(services, param(call, 'id'));
  changeContainer(services, view, (container) => updated(container, update));
  services.told.container('update', id, attributesOf(view));
  sendJson(call, { Warnings: null });
}

/** Pure. The document, and the request that is kept with it, with what the update says. Throws 400. */
export function updated(container: Container, update: Update): Container {
  const request = requestOf(container);
  const { RestartPolicy: policy, ...limits } = update;
  const given = Object.fromEntries(Object.entries(limits).filter(([key, value]) => key in updateSchema.shape && value !== undefined && value !== null && value !== 0 && value !== ''));
  const asked: HostConfig = { ...request.HostConfig, ...given };
  // The two ways to say how much processor time: the one that is said now counts.
  if ('NanoCpus' in given) Object.assign(asked, { CpuQuota: 0, CpuPeriod: 0 });
  else if ('CpuQuota' in given || 'CpuPeriod' in given) Object.assign(asked, { NanoCpus: 0 });
  const host: HostConfig = policy?.Name ? { ...asked, RestartPolicy: policy } : asked;
  if (host.AutoRemove && policy?.Name && policy.Name !== 'no') throw new DockerError(409, 'Restart policy cannot be updated because AutoRemove is enabled for the container');
  const document = {
    ...container,
    metadata: { ...container.metadata, annotations: { ...container.metadata.annotations, [REQUEST_ANNOTATION]: JSON.stringify({ ...request, HostConfig: host }) } },
    spec: { ...container.spec, resources: resourcesOf(host), ...(policy?.Name && restartOf(host)) },
  };
  const result = validate(document);
  if ('resource' in result && result.resource.kind === 'Container') return result.resource;
  throw new DockerError(400, `invalid update: ${'faults' in result ? result.faults.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ') : ''}`);
}

/** `POST /containers/{id}/rename`. */
export function renameContainer(call: DockerCall, services: DockerServices): void {
  const { id, view } = findContainer(services, param(call, 'id'));
  const before = dockerNameOf(view.container);
  const asked = call.query.text('name');
  if (asked === undefined) throw new DockerError(400, 'Neither old nor new names may be empty');
  if (asked.replace(/^\//, '') === before) throw new DockerError(400, 'Renaming a container with the same name as its current name');
  using claim = allocated(services, asked);
  const { name } = claim;
  changeContainer(services, view, (container) => renamed(container, before, name));
  services.told.container('rename', id, { ...attributesOf(view), name, oldName: `/${before}` });
  sendStatus(call, 204);
}

function allocated(services: DockerServices, asked: string): ReturnType<typeof claimName> {
  try {
    return claimName(services, asked.startsWith('/') ? asked : `/${asked}`);
  } catch (error) {
    if (error instanceof DockerError) throw new DockerError(error.status, `Error when allocating new name: ${error.message}`);
    throw error;
  }
}

/** Pure. On its networks it goes by the new name in place of the old. */
export function renamed(container: Container, before: string, name: string): Container {
  const { metadata, spec } = container;
  const networks = spec.network.networks.map((network) => {
    const others = network.aliases.filter((alias) => alias !== before && alias !== name);
    return { ...network, aliases: name === metadata.name ? others : [name, ...others] };
  });
  return { ...container, metadata: { ...metadata, annotations: { ...metadata.annotations, [NAME_ANNOTATION]: name } }, spec: { ...spec, network: { ...spec.network, networks } } };
}
