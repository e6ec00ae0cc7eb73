import { readFile } from 'node:fs/promises';
import type { Duplex } from 'node:stream';

import { errnoOf } from '../../lib/errors.ts';
import type { Native } from '../../native/native.ts';
import { addressText } from '../../spec/address.ts';
import type { ContainerId, ExitRecord } from '../engine.ts';
import type { ContainerInsight, ContainerRecordView, ContainerUsage, NetworkPlace } from '../insight.ts';
import type { ContainerNetworks } from '../network/container-networks.ts';
import type { Endpoint } from '../network/endpoint.ts';
import type { LocalVolumes } from '../volumes/local-volumes.ts';
import { cgroupPids } from './cgroup-folders.ts';
import type { CgroupLayout } from './cgroup-layout.ts';
import { FirstClients } from './first-clients.ts';
import type { ManagedContainer } from './managed-container.ts';
import { parseExit } from './monitor-files.ts';
import { OVERLAY_ANNOTATION, type RootOverlay, type RuntimeConfig } from './runtime-spec.ts';
import { readUsage } from './usage.ts';

export interface LocalInsightOptions {
  readonly native: Native;
  readonly layout: CgroupLayout;
  readonly networks: ContainerNetworks;
  readonly volumes: LocalVolumes;
  /** Throws `NotFound`. */
  readonly get: (id: ContainerId) => ManagedContainer;
}

export class LocalInsight implements ContainerInsight {
  /** Those that a start has to tell its monitor of. */
  readonly firstClients = new FirstClients();
  readonly #options: LocalInsightOptions;

  constructor(options: LocalInsightOptions) {
    this.#options = options;
  }

  record(id: ContainerId): ContainerRecordView {
    const { get, networks, volumes } = this.#options;
    const { record, paths } = get(id);
    const { name, container, imageId, createdAt } = record;
    return { id, name, container, imageId, createdAt, bundle: paths.bundle, log: paths.log, networks: networks.members.endpoints(id).map(networkPlace), volumes: volumes.usedBy(id) };
  }

  async lastExit(id: ContainerId): Promise<ExitRecord | undefined> {
    const { native, get } = this.#options;
    const { exit, fallbackExit } = get(id).paths;
    const [first, second] = (await native.readFiles([exit, fallbackExit])).map((content) => ('text' in content ? parseExit(content.text) : undefined));
    return first ?? second;
  }

  async layers(id: ContainerId): Promise<RootOverlay> {
    const { config } = this.#options.get(id).paths;
    const text = await readFile(config, 'utf8').catch((error: unknown) => {
      if (errnoOf(error) === 'ENOENT') return undefined; // somebody removed it; it is written anew with the next start
      throw error;
    });
    if (text === undefined) return { lower: [], upper: '', work: '' };
    return JSON.parse((JSON.parse(text) as RuntimeConfig).annotations[OVERLAY_ANNOTATION]) as RootOverlay;
  }

  pids(id: ContainerId): Promise<number[]> {
    const { native, layout, get } = this.#options;
    return cgroupPids(native, layout, get(id).paths.cgroup);
  }

  usage(id: ContainerId): Promise<ContainerUsage | undefined> {
    const { native, layout, get } = this.#options;
    return readUsage(native, layout, get(id));
  }

  async attachNext(id: ContainerId, signal: AbortSignal): Promise<Duplex> {
    return this.firstClients.join(this.#options.get(id).record.id, signal);
  }
}

function networkPlace({ layout, v4, v6, mac, attachment }: Endpoint): NetworkPlace {
  return {
    network: layout.name,
    address4: addressText(v4),
    prefix4: layout.v4.subnet.prefix,
    gateway4: addressText(layout.v4.gateway),
    ...(v6 !== undefined && layout.v6 !== undefined && { address6: addressText(v6), prefix6: layout.v6.subnet.prefix, gateway6: addressText(layout.v6.gateway) }),
    mac,
    aliases: attachment.aliases,
  };
}
