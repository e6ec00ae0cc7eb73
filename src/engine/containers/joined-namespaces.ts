import { chmod, mkdir, readlink, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { MooringError } from '../../lib/errors.ts';
import type { Native, ProcessIdentity } from '../../native/native.ts';
import type { Container } from '../../spec/container.ts';
import { containerName, type ContainerName } from '../../spec/name.ts';
import { joinedContainer } from '../../spec/namespaces.ts';
import type { ContainerId, Drift } from '../engine.ts';
import { containerPaths, type EngineFolders } from './container-paths.ts';
import { openNamespace } from '../network/container-link.ts';
import { namespaceLink } from '../network/namespace-link.ts';

export interface JoinedNamespacesOptions {
  readonly native: Native;
  readonly folders: EngineFolders;
  readonly find: (name: ContainerName) => { readonly id: ContainerId; readonly container: Container } | undefined;
  /** Undefined while it does not run. */
  readonly initOf: (id: ContainerId) => Promise<ProcessIdentity | undefined>;
}

/** Where a container finds what it shares with another one while it is started. */
export interface JoinedPaths {
  readonly pid?: string;
  readonly ipc?: string;
  /** Folder that is its /dev/shm. */
  readonly shm?: string;
}

/** What is shared, for people. */
const SHARED = { pid: 'processes', ipc: 'IPC objects' } as const;

/** Processes and IPC that containers share with each other. */
export class JoinedNamespaces {
  readonly #options: JoinedNamespacesOptions;

  constructor(options: JoinedNamespacesOptions) {
    this.#options = options;
  }

  paths(id: ContainerId, { pid, ipc }: Container['spec']['namespaces']): JoinedPaths {
    const link = (what: string) => path.join(this.#options.folders.networkNamespaces, `${id}-${what}`);
    return {
      ...(joinedContainer(pid) !== undefined && { pid: link('pid') }),
      ...(joinedContainer(ipc) !== undefined && { ipc: link('ipc'), shm: link('shm') }),
      ...(ipc === 'Shareable' && { shm: this.#shmFolder(id) }),
    };
  }

  /** Makes those places. What this gives back takes away again what only the start needs. `Unavailable` while another container does not run. */
  async open(id: ContainerId, container: Container): Promise<AsyncDisposable | undefined> {
    const { native } = this.#options;
    const { pid, ipc } = container.spec.namespaces;
    const paths = this.paths(id, container.spec.namespaces);
    if (ipc === 'Shareable') await this.#makeShm(id);
    if (paths.pid === undefined && paths.ipc === undefined) return undefined;
    await using open = new AsyncDisposableStack();
    const joined = { pid: joinedContainer(pid), ipc: joinedContainer(ipc) };
    for (const kind of ['pid', 'ipc'] as const) {
      const name = joined[kind];
      if (name === undefined) continue;
      const owner = await this.#ownerOf(container, kind, name);
      const namespace = await openNamespace(native, owner.init, kind);
      if (!namespace) throw notRunning(container, kind, name);
      open.defer(() => namespace.close());
      open.use(await namespaceLink(this.#options.folders.networkNamespaces, `${id}-${kind}`, namespace.fd));
      if (kind === 'ipc' && paths.shm !== undefined) open.use(await folderLink(paths.shm, this.#shmFolder(owner.id)));
    }
    return open.move();
  }

  /** What it should share with another container that runs, and does not: that was started anew, and has others now. */
  async drift({ metadata: { namespace }, spec: { namespaces } }: Container, init: ProcessIdentity): Promise<Drift[]> {
    const found: Drift[] = [];
    for (const kind of ['pid', 'ipc'] as const) {
      const name = joinedContainer(namespaces[kind]);
      const owner = name === undefined ? undefined : this.#options.find(containerName({ namespace, name }));
      const ownerInit = owner && (await this.#options.initOf(owner.id));
      if (!ownerInit) continue;
      const [own, wanted] = await Promise.all([init, ownerInit].map(({ pid }) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined))); // undefined once it has ended
      if (own !== undefined && wanted !== undefined && own !== wanted) found.push({ kind: 'Namespaces', message: `its ${SHARED[kind]} are not those of container ${name} any more, since that was started anew` });
    }
    return found;
  }

  async #ownerOf(container: Container, kind: 'pid' | 'ipc', name: string): Promise<{ readonly id: ContainerId; readonly init: ProcessIdentity }> {
    const owner = this.#options.find(containerName({ namespace: container.metadata.namespace, name }));
    const init = owner && (await this.#options.initOf(owner.id));
    if (!init) throw notRunning(container, kind, name);
    if (kind === 'ipc' && owner.container.spec.namespaces.ipc !== 'Shareable') {
      throw new MooringError('Conflict', `container ${containerName(container.metadata)} can't join the IPC of container ${name}: non-shareable IPC`, { fix: `set namespaces.ipc of ${name} to Shareable (--ipc shareable)` });
    }
    return { id: owner.id, init };
  }

  /** An empty one, on the node's own file system in memory. */
  async #makeShm(id: ContainerId): Promise<void> {
    const folder = this.#shmFolder(id);
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
    await chmod(folder, 0o1777);
  }

  #shmFolder(id: ContainerId): string {
    return containerPaths(this.#options.folders, id).shm;
  }
}

async function folderLink(link: string, folder: string): Promise<AsyncDisposable> {
  await rm(link, { force: true });
  await symlink(folder, link);
  return { [Symbol.asyncDispose]: () => rm(link, { force: true }) };
}

function notRunning(container: Container, kind: 'pid' | 'ipc', name: string): MooringError {
  const what = kind === 'pid' ? 'processes' : 'IPC';
  return new MooringError('Unavailable', `container ${containerName(container.metadata)} shares the ${what} of container ${name}, which does not run`, { fix: `start container ${name}` });
}
