import type { RunEnd } from '../../reconcile/reconciler-face.ts';
import type { ContainerView } from '../../reconcile/view.ts';
import type { ContainerName } from '../../spec/name.ts';
import type { ContainerRecordView } from '../../engine/insight.ts';
import { MooringError } from '../../lib/errors.ts';
import { requestOf } from './container-request.ts';
import { dockerNameOf } from './container-lookup.ts';
import type { DockerServices } from './docker-services.ts';
import { dockerNetworkName, dockerVolumeName } from './supply-names.ts';

/** What has been told of a container. */
interface Known {
  readonly id: string;
  /** The document that the attributes are of. */
  readonly container: ContainerView['container'];
  readonly attributes: Readonly<Record<string, string>>;
  /** Of the last run that was told of. Milliseconds since the epoch. */
  readonly startedAt: number | undefined;
  readonly places: Places;
  /** What its probes said last; undefined while they say nothing. */
  readonly health: string | undefined;
}

interface Places {
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  readonly volumes: readonly { readonly name: string; readonly destination: string }[];
}

const NOWHERE: Places = { networks: [], volumes: [] };

/** Tells the lives of all containers, whoever wanted them: made, started, ended, gone. What only a request knows, its handler tells. What is there already is no news. */
export function tellOfContainers(services: DockerServices): void {
  const events = new ContainerEvents(services);
  for (const view of services.reconciler.views()) events.look(view.name, view, false);
  services.reconciler.subscribe((name) => events.look(name, services.reconciler.view(name), true));
  services.reconciler.onExit((end) => events.ended(end));
}

class ContainerEvents {
  readonly #services: DockerServices;
  readonly #known = new Map<ContainerName, Known>();

  constructor(services: DockerServices) {
    this.#services = services;
  }

  look(name: ContainerName, view: ContainerView | undefined, isNews: boolean): void {
    const before = this.#known.get(name);
    const id = view?.status.containerID;
    if (before !== undefined && before.id !== id) {
      this.#known.delete(name);
      if (isNews) this.#services.told.container('destroy', before.id, before.attributes);
    }
    if (view === undefined || id === undefined) return;
    const { pid, startedAt } = view.status;
    const known = this.#take(name, view, id, isNews);
    if (pid !== undefined && startedAt !== undefined) this.#began(name, known, Date.parse(startedAt), isNews);
    this.#probed(name, view, isNews);
  }

  /** Its attributes may have changed with its name. */
  #take(name: ContainerName, view: ContainerView, id: string, isNews: boolean): Known {
    const before = this.#known.get(name);
    if (before?.id === id && before.container === view.container) return before;
    const same = before?.id === id ? before : { startedAt: undefined, places: NOWHERE, health: undefined };
    const known: Known = { ...same, id, container: view.container, attributes: attributesOf(view) };
    this.#known.set(name, known);
    if (isNews && before?.id !== id) this.#services.told.container('create', id, known.attributes);
    return known;
  }

  #began(name: ContainerName, known: Known, startedAt: number, isNews: boolean): void {
    // A run's times are told with less than a second's difference by the kernel and the record of its end.
    if (known.startedAt !== undefined && startedAt - known.startedAt < 1000 && startedAt >= known.startedAt - 1000) return;
    const places = this.#placesOf(known.id);
    this.#known.set(name, { ...known, startedAt, places });
    if (!isNews) return;
    const { told } = this.#services;
    for (const network of places.networks) told.network('connect', network.id, { container: known.id, name: network.name, type: 'bridge' });
    for (const volume of places.volumes) told.volume('mount', volume.name, { container: known.id, destination: volume.destination, driver: 'local', propagation: '', 'read/write': 'true' });
    told.container('start', known.id, known.attributes);
  }

  #probed(name: ContainerName, { status: { conditions } }: ContainerView, isNews: boolean): void {
    const known = this.#known.get(name);
    const says = conditions.find(({ type }) => type === 'Healthy')?.status;
    const health = says === 'True' ? 'healthy' : says === 'False' ? 'unhealthy' : undefined;
    if (known === undefined || known.health === health) return;
    this.#known.set(name, { ...known, health });
    if (isNews && health !== undefined) this.#services.told.container(`health_status: ${health}`, known.id, known.attributes);
  }

  ended({ name, id, exit }: RunEnd): void {
    const view = this.#services.reconciler.view(name);
    const before = this.#known.get(name);
    if (before?.id !== id && view === undefined) return;
    const known = before?.id === id || view === undefined ? before : this.#take(name, view, id, true);
    if (known === undefined) return;
    this.#began(name, known, exit.startedAt, true);
    const { told } = this.#services;
    const { places, attributes } = this.#known.get(name) ?? known;
    if (exit.oomKilled) told.container('oom', id, attributes);
    told.container('die', id, { ...attributes, exitCode: String(exit.exitCode) });
    for (const network of places.networks) told.network('disconnect', network.id, { container: id, name: network.name, type: 'bridge' });
    for (const volume of places.volumes) told.volume('unmount', volume.name, { container: id, driver: 'local' });
    this.#known.set(name, { ...known, startedAt: exit.startedAt, places: NOWHERE });
  }

  #placesOf(id: string): Places {
    const record = this.#recordOf(id);
    if (record === undefined) return NOWHERE;
    return {
      networks: record.networks.map(({ network }) => dockerNetworkName(this.#services, network)),
      volumes: record.volumes.map(({ volume, mountPath }) => ({ name: dockerVolumeName(this.#services, volume), destination: mountPath })),
    };
  }

  #recordOf(id: string): ContainerRecordView | undefined {
    try {
      return this.#services.insight.record(id as ContainerRecordView['id']);
    } catch (error) {
      if (error instanceof MooringError && error.code === 'NotFound') return undefined; // gone meanwhile
      throw error;
    }
  }
}

/** Of every event of a container: its labels, image and name. */
export function attributesOf({ container }: Pick<ContainerView, 'container'>): Record<string, string> {
  const { Labels, Image } = requestOf(container);
  return { ...Labels, image: Image, name: dockerNameOf(container) };
}
