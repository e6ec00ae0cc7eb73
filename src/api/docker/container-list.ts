import type { ContainerRecordView } from '../../engine/insight.ts';
import type { ApiServices } from '../v1/services.ts';
import { ContainerFilter } from './container-filter.ts';
import { imageConfig, sizesOf } from './container-inspect.ts';
import { type Containers, dockerNameOf, findContainer, type FoundContainer, foundContainers, recordOf } from './container-lookup.ts';
import { commandWords, requestOf } from './container-request.ts';
import { isRunning, stateOf, stateText } from './container-state.ts';
import type { Filters } from './filters.ts';
import { configBlock, labelsOf } from './inspect-config.ts';
import { mountBlock } from './inspect-mounts.ts';
import { networksOf, type PortBindings, portsOf } from './inspect-network.ts';
import { dockerVolumeName } from './supply-names.ts';

export interface ListOptions {
  readonly all: boolean;
  readonly size: boolean;
  /** The newest so many, running or not; all without it. */
  readonly limit: number | undefined;
  /** Those made before, or after, these. */
  readonly before: string | undefined;
  readonly since: string | undefined;
  readonly filters: Filters;
  /** Those that are looked at; all without it. */
  readonly among?: Containers;
}

/** The answer of `GET /containers/json`, newest first. */
export async function listContainers(services: ApiServices, options: ListOptions) {
  const { all, size, limit, before, since, filters, among = services } = options;
  const createdAt = (reference: string | undefined): number | undefined => (reference === undefined ? undefined : services.insight.record(findContainer(among, reference).id).createdAt);
  const [earliest, latest] = [createdAt(since ?? filters.values('since')[0]), createdAt(before ?? filters.values('before')[0])];
  const showsEnded = all || limit !== undefined || filters.has('status') || earliest !== undefined || latest !== undefined;
  const filter = await ContainerFilter.of(services, filters);
  const rows = foundContainers(among)
    .flatMap((found) => rowOf(services, found))
    .filter(({ view, record: { createdAt: time } }) => (showsEnded || isRunning(view)) && (earliest === undefined || time > earliest) && (latest === undefined || time < latest))
    .toSorted((a, b) => b.record.createdAt - a.record.createdAt || (a.id < b.id ? -1 : 1));
  const summaries: Awaited<ReturnType<typeof summaryOf>>[] = [];
  for (const row of rows) {
    if (limit !== undefined && summaries.length >= limit) break;
    const summary = await summaryOf(services, row, size);
    if (filter.takes(row, summary)) summaries.push(summary);
  }
  return summaries;
}

type Row = FoundContainer & { readonly record: ContainerRecordView };

/** None for one that went meanwhile. */
function rowOf(services: ApiServices, found: FoundContainer): Row[] {
  const record = recordOf(services, found.id);
  return record === undefined ? [] : [{ ...found, record }];
}

export type ContainerSummary = Awaited<ReturnType<typeof summaryOf>>;

async function summaryOf(services: ApiServices, { id, view, record }: Row, size: boolean) {
  const request = requestOf(view.container);
  const image = await imageConfig(services, record.imageId);
  const [path = '', ...args] = commandWords(request, image);
  const running = isRunning(view);
  const exposed = Object.keys(configBlock(id, view.container, request, image).ExposedPorts ?? {});
  return {
    Id: id,
    Names: [`/${dockerNameOf(view.container)}`],
    Image: services.images.standing(view.container.spec.image)?.imageId === record.imageId ? request.Image : record.imageId,
    ImageID: record.imageId,
    Command: [path, ...args.map((word) => (word.includes(' ') ? `'${word}'` : word))].join(' '),
    Created: Math.floor(record.createdAt / 1000),
    Ports: running ? portRows(portsOf(record, exposed)) : [],
    ...(size ? await sizesOf(services, record) : {}),
    Labels: labelsOf(request, image),
    State: stateOf(view),
    Status: stateText(view, Date.now()),
    HostConfig: { NetworkMode: request.HostConfig.NetworkMode || 'default' },
    NetworkSettings: { Networks: networksOf(services, record, request, running) },
    Mounts: mountBlock(record, request, (name) => dockerVolumeName(services, name)),
  };
}

function portRows(ports: PortBindings) {
  return Object.entries(ports).flatMap(([key, bindings]) => {
    const [port, Type] = key.split('/');
    const PrivatePort = Number(port);
    return bindings === null ? [{ PrivatePort, Type }] : bindings.map(({ HostIp: IP, HostPort }) => ({ IP, PrivatePort, PublicPort: Number(HostPort), Type }));
  });
}
