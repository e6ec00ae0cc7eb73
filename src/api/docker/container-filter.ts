import type { ContainerId } from '../../engine/engine.ts';
import { MooringError } from '../../lib/errors.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import type { ApiServices } from '../v1/services.ts';
import type { ContainerSummary } from './container-list.ts';
import { requestOf } from './container-request.ts';
import { CONTAINER_STATES, HEALTH_STATES, healthOf, isRunning, stateOf } from './container-state.ts';
import { DockerError } from './error-reply.ts';
import type { Filters } from './filters.ts';
import { publishedPorts } from './inspect-network.ts';

export const LIST_FILTERS = ['ancestor', 'before', 'expose', 'exited', 'health', 'id', 'isolation', 'is-task', 'label', 'name', 'network', 'publish', 'since', 'status', 'volume'] as const;

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

/** The filters of a list of containers, but for `before` and `since`. */
export class ContainerFilter {
  readonly #filters: Filters;
  /** Ids of images that count as made from one of the ancestors. */
  readonly #images: ReadonlySet<string> | undefined;
  readonly #exposed: readonly PortRange[];
  readonly #published: readonly PortRange[];
  readonly #exits: readonly number[];

  private constructor(filters: Filters, images: ReadonlySet<string> | undefined) {
    this.#filters = filters;
    this.#images = images;
    this.#exposed = filters.values('expose').map(portRange);
    this.#published = filters.values('publish').map(portRange);
    this.#exits = filters.values('exited').map(exitCode);
  }

  /** Throws 400 for values that can't be. */
  static async of({ images }: Pick<ApiServices, 'images'>, filters: Filters): Promise<ContainerFilter> {
    for (const state of filters.values('status')) {
      if (!CONTAINER_STATES.some((known) => known === state)) throw new DockerError(400, `Invalid filter 'status=${state}'`);
    }
    for (const health of filters.values('health')) {
      if (!HEALTH_STATES.some((known) => known === health)) throw new DockerError(400, `Invalid filter 'health=${health}'`);
    }
    const ancestors = filters.values('ancestor');
    return new ContainerFilter(filters, ancestors.length > 0 ? await descendants(images, ancestors) : undefined);
  }

  takes({ id, view }: { readonly id: ContainerId; readonly view: ContainerView }, { Names, Labels, ImageID, Mounts, NetworkSettings }: ContainerSummary): boolean {
    const filters = this.#filters;
    const [name = ''] = Names;
    const state = stateOf(view);
    const ended = !isRunning(view) && view.status.finishedAt !== undefined;
    const networks = Object.entries(NetworkSettings.Networks).flatMap(([network, { NetworkID }]) => [network, NetworkID]);
    return (
      (filters.isIn('name', name) || filters.isIn('name', name.slice(1))) &&
      filters.isIn('id', id) &&
      filters.isOneOf('status', state) &&
      filters.isOneOf('health', healthOf(view)) &&
      filters.isOneOf('is-task', 'false') &&
      filters.haveLabels(Labels) &&
      (this.#images === undefined || this.#images.has(ImageID)) &&
      (this.#exits.length === 0 || (ended && this.#exits.includes(view.status.exitCode ?? 0))) &&
      (!filters.has('volume') || Mounts.some(({ Name, Destination }) => filters.isOneOf('volume', Destination) || (Name !== undefined && filters.isOneOf('volume', Name)))) &&
      (!filters.has('network') || filters.values('network').some((wanted) => networks.some((each) => each === wanted || (wanted.length >= 12 && each.startsWith(wanted))))) &&
      this.#hasPorts(view)
    );
  }

  #hasPorts({ container }: ContainerView): boolean {
    const published = publishedPorts(container);
    const exposed = requestOf(container).ExposedPorts.map((text) => portRange(text));
    return (
      (this.#published.length === 0 || this.#published.some((range) => published.some(({ port, hostPort, protocol }) => within(range, { first: port, last: port, protocol }) || within(range, { first: hostPort, last: hostPort, protocol })))) &&
      (this.#exposed.length === 0 || this.#exposed.some((range) => [...exposed, ...published.map(({ port, protocol }) => ({ first: port, last: port, protocol }))].some((port) => within(range, port))))
    );
  }
}

/** `80`, `80/udp`, `8000-8010/tcp`. */
function portRange(text: string): PortRange {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text);
  if (!match) throw new DockerError(400, `Invalid filter: "${text}" is no port`);
  const first = Number(match[1]);
  return { first, last: Number(match[2] ?? first), protocol: (match[3] ?? 'tcp').toLowerCase() };
}

function within(range: PortRange, port: PortRange): boolean {
  return port.protocol === range.protocol && port.first <= range.last && port.last >= range.first;
}

function exitCode(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new DockerError(400, `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** The images of these names, and those whose layers begin with theirs. A name that is nobody's has none. */
async function descendants(images: ApiServices['images'], ancestors: readonly string[]): Promise<ReadonlySet<string>> {
  const inspected = async (name: string) =>
    images.inspect(name).catch((error: unknown) => {
      if (error instanceof MooringError && (error.code === 'NotFound' || error.code === 'Invalid')) return undefined;
      throw error;
    });
  const found = (await Promise.all(ancestors.map(inspected))).filter((image) => image !== undefined);
  const all = (await Promise.all((await images.list()).map(({ id }) => inspected(id)))).filter((image) => image !== undefined);
  const diffs = ({ layerDigests }: (typeof all)[number]): string[] => layerDigests.map(({ diffId }) => diffId);
  return new Set(all.filter((image) => found.some((ancestor) => ancestor.id === image.id || (ancestor.layerDigests.length < image.layerDigests.length && diffs(ancestor).every((diff, index) => diff === diffs(image)[index])))).map(({ id }) => id));
}
