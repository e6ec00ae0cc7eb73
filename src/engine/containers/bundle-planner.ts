import { randomBytes } from 'node:crypto';

import { MooringError } from '../../lib/errors.ts';
import type { Container } from '../../spec/container.ts';
import type { Mount } from '../../spec/mount.ts';
import { containerName } from '../../spec/name.ts';
import type { GivenConfig } from '../config.ts';
import type { ContainerId } from '../engine.ts';
import type { ImageStore } from '../images/image-store.ts';
import type { ContainerNetworks } from '../network/container-networks.ts';
import { asksForNameFiles, nameFilePaths } from '../network/name-files.ts';
import { withImageVolumes } from '../volumes/image-volumes.ts';
import { isVolumeMount, type LocalVolumes } from '../volumes/local-volumes.ts';
import { type Bundle, makeBundle } from './bundle.ts';
import { readSeccompProfile, requireBindSources, requireBlockDevices } from './bundle-files.ts';
import type { ConfigFolder, ConfigFolders } from './config-folders.ts';
import { containerPaths, type EngineFolders } from './container-paths.ts';
import { grantedDevices } from './devices.ts';
import type { HostFacts } from './host-facts.ts';
import type { JoinedNamespaces } from './joined-namespaces.ts';
import { idsFor, type OwnMount } from './own-mounts.ts';
import { type ResolvedUser, resolveUser, withGroups } from './process-user.ts';
import { fitsSandbox, type SandboxPool } from './sandbox-pool.ts';

export interface BundlePlannerRooms {
  readonly images: ImageStore;
  readonly networks: ContainerNetworks;
  readonly volumes: LocalVolumes;
  readonly sandboxes: SandboxPool;
  readonly folders: EngineFolders;
  readonly joined: JoinedNamespaces;
  readonly host: HostFacts;
  readonly configs: ConfigFolders;
}

export interface BundlePlan {
  readonly id: ContainerId;
  readonly bundle: Bundle;
  readonly imageId: string;
  /** Its own mounts, with those that its image asks for. */
  readonly mounts: readonly Mount[];
  /** The folders that its mounts of ConfigMaps and Secrets show. */
  readonly configFolders: readonly ConfigFolder[];
}

/** Says what the bundle of a container is to be, and refuses what can be refused, before anything of the container is made. */
export class BundlePlanner {
  readonly #rooms: BundlePlannerRooms;

  constructor(rooms: BundlePlannerRooms) {
    this.#rooms = rooms;
  }

  async plan(container: Container, id: ContainerId, config: GivenConfig | undefined): Promise<BundlePlan> {
    const { images, networks, folders, host, configs } = this.#rooms;
    const image = await images.resolve(container.spec.image);
    const mounts = withImageVolumes(container.spec.mounts, image.config.Volumes);
    const { spec } = container;
    const [user, seccompText, blockDevices, devices] = await Promise.all([
      resolveUser(spec.user ?? image.config.User ?? '', image.layers).then((found) => withGroups(found, spec.supplementalGroups, image.layers)),
      readSeccompProfile(container),
      requireBlockDevices(container),
      grantedDevices(container),
      requireBindSources(container),
      networks.check(container, id),
    ]);
    const { bundle: folder, cgroup, upper, work } = containerPaths(folders, id);
    const networkPath = networks.namespacePath({ id, container });
    const nameFiles = networkPath === undefined && !asksForNameFiles(container.spec.network) ? {} : nameFilePaths(folder);
    const configFolders = await configs.places(id, config?.mounts ?? []);
    const own = await Promise.all(mounts.map((mount) => this.#ownMount(container, id, mount, { user, layers: image.layers, configFolders })));
    const bundle = makeBundle({ container, image, user, mounts: own, env: config?.env, host, cgroupPath: cgroup, upper, work, networkPath, nameFiles, seccompCache: folders.seccompCache, seccompText, blockDevices, devices, joined: this.#rooms.joined.paths(id, spec.namespaces) });
    return { id, bundle, imageId: image.id, mounts, configFolders };
  }

  /** The plan of a container that there is not yet, in a sandbox if one is ready that it fits. */
  async planNew(container: Container, config: GivenConfig | undefined) {
    const { sandboxes } = this.#rooms;
    const sandbox = container.spec.network.mode === 'Host' ? undefined : sandboxes.take();
    if (sandbox) {
      try {
        const plan = await this.plan(container, sandbox.id, config);
        if (fitsSandbox(plan.bundle.config)) return { ...plan, sandbox: sandbox.monitor };
      } catch (error) {
        sandboxes.giveBack(sandbox);
        throw error;
      }
      sandboxes.giveBack(sandbox);
    }
    return { ...(await this.plan(container, randomBytes(32).toString('hex') as ContainerId, config)), sandbox: undefined };
  }

  async #ownMount(container: Container, id: ContainerId, mount: Mount, { user, layers, configFolders }: { readonly user: ResolvedUser; readonly layers: readonly string[]; readonly configFolders: readonly ConfigFolder[] }): Promise<OwnMount> {
    if (mount.configMap ?? mount.secret ?? mount.projected) {
      const place = configFolders.find(({ mountPath }) => mountPath === mount.mountPath);
      if (place === undefined) throw new MooringError('Internal', `nothing is given of what ${mount.mountPath} of ${containerName(container.metadata)} is to show`);
      return { mount, content: place.folder };
    }
    const own = { mount, ...(isVolumeMount(mount) && { volume: this.#rooms.volumes.find({ id, container }, mount) }) };
    const ids = await idsFor(own, user, layers);
    return ids === undefined ? own : { ...own, ids };
  }
}
