import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Duplex } from 'node:stream';

import { systemClock } from '../../lib/clock.ts';
import { messageOf, MooringError } from '../../lib/errors.ts';
import type { ProcessIdentity } from '../../native/native.ts';
import type { Container } from '../../spec/container.ts';
import { resolveLogging } from '../../spec/logging.ts';
import { type ContainerName, containerName } from '../../spec/name.ts';
import { parseSignal } from '../../spec/signal.ts';
import type { GivenConfig } from '../config.ts';
import type { ContainerId, ContainerStats, EngineEvent, ExecRequest, ExecResult, ExitRecord, LogLine, LogOptions, ObservedContainer } from '../engine.ts';
import { ContainerNetworks } from '../network/container-networks.ts';
import { Names } from '../names/names.ts';
import { LocalNetworkEngine } from '../network/network-engine.ts';
import type { NetworkEngine } from '../networks.ts';
import { type ContainerRecord, ContainerRecords } from '../store/container-records.ts';
import { connectAttach } from './attach-connection.ts';
import { LocalVolumes } from '../volumes/local-volumes.ts';
import { hostnameOf } from './bundle.ts';
import { layersOfBundle, writeBundle } from './bundle-files.ts';
import { BundlePlanner } from './bundle-planner.ts';
import { CgroupLayout } from './cgroup-layout.ts';
import type { ContainerEngineOptions } from './container-engine-options.ts';
import { collectLitter } from './collect.ts';
import { ConfigFolders, requireSameConfig } from './config-folders.ts';
import { ContainerExecs } from './container-execs.ts';
import { ContainerFiles } from './container-files.ts';
import { ContainerRemover } from './container-remover.ts';
import { ContainerRenewal } from './container-renewal.ts';
import { containerPaths, engineFolders, type EngineFolders } from './container-paths.ts';
import { ContainerObserver } from './container-observer.ts';
import { runningDrift } from './container-snapshot.ts';
import { ContainerUpdates } from './container-updates.ts';
import { Freezes } from './freezes.ts';
import { type HostFacts, readHostFacts } from './host-facts.ts';
import { JoinedNamespaces } from './joined-namespaces.ts';
import type { OwnedContainerEngine } from './owned-container-engine.ts';
import { makeBindSources } from './own-mounts.ts';
import { readLog } from './logs.ts';
import { LocalInsight } from './local-insight.ts';
import { type ManagedContainer, sharesProcesses } from './managed-container.ts';
import { endStrays, killAndWait } from './process-end.ts';
import type { RuntimeConfig } from './runtime-spec.ts';
import { SandboxPool } from './sandbox-pool.ts';
import { readStats } from './stats.ts';
import { TransientContainers } from './transient.ts';
import { wantedMounts } from './wanted-mounts.ts';

export async function createContainerEngine(options: ContainerEngineOptions): Promise<OwnedContainerEngine> {
  const folders = engineFolders(options);
  const [layout, host] = await Promise.all([
    CgroupLayout.detect(),
    readHostFacts(),
    ...[folders.states, folders.seccompCache, folders.networkNamespaces].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })),
  ]);
  return new LocalContainerEngine(options, folders, layout, host);
}

class LocalContainerEngine implements OwnedContainerEngine {
  readonly files: ContainerFiles;
  readonly insight: LocalInsight;
  readonly networks: NetworkEngine;
  readonly #options: ContainerEngineOptions;
  readonly #folders: EngineFolders;
  readonly #layout: CgroupLayout;
  readonly #records: ContainerRecords;
  readonly #observer: ContainerObserver;
  readonly #execs: ContainerExecs;
  readonly #remover: ContainerRemover;
  readonly #renewal: ContainerRenewal;
  readonly #updates: ContainerUpdates;
  readonly #freezes: Freezes;
  readonly #networks: ContainerNetworks;
  readonly volumes: LocalVolumes;
  readonly #joined: JoinedNamespaces;
  readonly #planner: BundlePlanner;
  readonly #configs: ConfigFolders;
  readonly transients: TransientContainers;
  readonly #names: Names;
  readonly #sandboxes: SandboxPool;
  readonly #byId = new Map<ContainerId, ManagedContainer>();
  readonly #byName = new Map<ContainerName, ManagedContainer>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #bundles: FSWatcher;

  constructor(options: ContainerEngineOptions, folders: EngineFolders, layout: CgroupLayout, host: HostFacts) {
    this.#options = options;
    this.#folders = folders;
    this.#layout = layout;
    this.#records = new ContainerRecords(options.database);
    const { native, dataDir, logger } = options;
    this.#configs = new ConfigFolders(options);
    this.#observer = new ContainerObserver({ native, dataDir, logger, layout, hint: (managed, reason) => this.#tell(managed, reason) });
    this.#names = new Names({ clock: systemClock, logger, resolvConf: '/etc/resolv.conf' });
    this.#networks = new ContainerNetworks({ names: this.#names, native, database: options.database, instance: options.instance, folder: folders.networkNamespaces, logger, hint: (id) => this.#hint(id), initOf: (id) => this.#initOf(id) });
    this.networks = new LocalNetworkEngine(this.#networks);
    this.volumes = new LocalVolumes({ dataDir, database: options.database, logger, native: options.native, archiver: path.join(path.dirname(options.runtimePath), 'mooring-archive'), hint: (id) => this.#hint(id, 'MountsChanged') });
    this.transients = new TransientContainers({
      ...options,
      layout,
      folders,
      host,
      lend: (id, bundle, hostname) => this.#networks.lend(id, bundle, hostname),
      ready: () => this.#remover.parentRemoval,
      onEnd: () => this.#remover.removeParentIfUnused(),
    });
    this.#execs = new ContainerExecs(options);
    this.insight = new LocalInsight({ native, layout, networks: this.#networks, volumes: this.volumes, get: (id) => this.#get(id) });
    this.#freezes = new Freezes(layout);
    this.files = new ContainerFiles({ freezes: this.#freezes, look: async (id) => ({ managed: this.#get(id), ...(await this.#observer.look(this.#get(id))) }) });
    this.#remover = new ContainerRemover({
      native,
      dataDir,
      logger,
      layout,
      cgroupParent: folders.cgroupParent,
      records: this.#records,
      observer: this.#observer,
      files: this.files,
      networks: this.#networks,
      configs: this.#configs,
      forget: ({ record }) => {
        this.#byId.delete(record.id);
        this.#byName.delete(record.name);
        this.insight.firstClients.refuse(record.id);
      },
      isParentUnused: () => this.#byId.size === 0 && this.transients.running === 0,
    });
    this.#sandboxes = new SandboxPool({ native, runtimePath: options.runtimePath, cgroupParent: folders.cgroupParent, logger, size: options.sandboxes ?? 0 });
    this.#joined = new JoinedNamespaces({ native, folders, find: (name) => this.#byName.get(name)?.record, initOf: (id) => this.#initOf(id) });
    this.#planner = new BundlePlanner({ images: options.images, networks: this.#networks, volumes: this.volumes, sandboxes: this.#sandboxes, joined: this.#joined, folders, host, configs: this.#configs });
    this.#updates = new ContainerUpdates({ native, layout, database: options.database, records: this.#records, observer: this.#observer, networks: this.#networks });
    this.#renewal = new ContainerRenewal({ native, layout, records: this.#records, observer: this.#observer, planner: this.#planner });
    for (const record of this.#records.list()) {
      this.#manage(record);
      this.#networks.claim(record);
    }
    this.#bundles = watch(folders.containers, (_, id) => {
      const managed = this.#byId.get(id as ContainerId);
      if (managed && !managed.fresh) this.#tell(managed, 'BundleChanged');
    });
    this.#bundles.on('error', (error) => logger.warn({ error: messageOf(error) }, 'watch of the bundles ended; the resync still finds their changes'));
  }

  async observe(name: ContainerName): Promise<ObservedContainer | undefined> {
    const managed = this.#byName.get(name);
    if (!managed) return undefined;
    const { snapshot, process } = await this.#observer.look(managed);
    const { id, container, specHash, imageId, config, createdAt } = managed.record;
    const drift = [...snapshot.bundleDrift];
    if (process.state === 'Running') {
      if (snapshot.configText !== undefined) managed.wantedMounts ??= await wantedMounts(JSON.parse(snapshot.configText) as RuntimeConfig);
      drift.push(...(await runningDrift(this.#options.native, this.#layout, managed, snapshot)));
      drift.push(...(await this.#configs.drift(managed.record.config?.folders ?? [])));
      drift.push(...(await this.#networks.observe(managed.record, process.init)), ...(await this.#joined.drift(container, process.init)));
    } else if (process.state !== 'Creating') {
      await this.#networks.ended(id);
    }
    const addresses = this.#networks.addresses(id);
    const exposure = process.state === 'Running' ? this.#networks.exposure(container) : undefined;
    const frozen = process.state === 'Running' && (await this.#freezes.isPaused(managed.paths.cgroup));
    return { id, name, container, specHash, imageId, createdAt, ...(config && { config: config.digests }), ...(addresses.length > 0 && { addresses }), ...(exposure !== undefined && { exposure }), process: frozen ? { ...process, frozen } : process, drift };
  }

  async create(container: Container, specHash: string, config?: GivenConfig): Promise<ContainerId> {
    const name = containerName(container.metadata);
    const { bundle, mounts, configFolders, imageId, id, sandbox } = await this.#planner.planNew(container, config);
    if (this.#byName.has(name)) throw new MooringError('Conflict', `container ${name} exists already`, { fix: 'remove it first' });
    const record: ContainerRecord = { id, name, container, specHash, imageId, configHash: bundle.hash, ...(config && { config: { digests: config.digests, folders: configFolders } }), createdAt: Date.now() };
    this.#options.database.transaction(() => {
      this.#records.insert(record);
      this.#networks.reserve(record);
      this.volumes.reserve(record, mounts);
    });
    this.#networks.claim(record);
    const managed = this.#manage(record);
    managed.fresh = true;
    managed.sandbox = sandbox;
    try {
      await writeBundle(managed.paths, bundle.text);
      await this.volumes.prepare(record, () => layersOfBundle(managed.paths.config));
    } catch (error) {
      managed.fresh = false;
      throw error;
    }
    return id;
  }

  async start(id: ContainerId, config?: GivenConfig): Promise<void> {
    const managed = this.#get(id);
    requireSameConfig(managed.record, config);
    using _ = await this.files.exclude(id);
    await using starting = new AsyncDisposableStack();
    const { native, runtimePath } = this.#options;
    if (!managed.fresh && !(await this.#renewal.readyAgain(managed, config))) return; // it runs
    managed.fresh = false;
    const { sandbox } = managed;
    managed.sandbox = undefined;
    if (sandbox) starting.defer(() => sandbox.dismiss()); // where it does not come to be used
    await this.#remover.parentRemoval;
    const { paths, record } = managed;
    const { stdin, stdinOnce } = record.container.spec;
    await Promise.all([makeBindSources(record.container.spec.mounts), this.volumes.prepare(record, () => layersOfBundle(paths.config)), ...(config ? [this.#configs.prepare(id, config)] : [])]);
    starting.use(await this.#joined.open(id, record.container));
    starting.use(await this.#networks.connect(record, paths.bundle, hostnameOf(record.container, id)));
    const clients = this.insight.firstClients.of(id);
    const { monitor, init } = await native.startMonitor(
      {
        runtime: runtimePath,
        id,
        bundle: paths.bundle,
        stateDir: paths.stateDir,
        log: { path: paths.log, ...resolveLogging(record.container.spec.logging) },
        stdin: stdin ? (stdinOnce ? 'once' : 'open') : 'none',
        clients: clients.length,
      },
      sandbox,
    );
    await this.insight.firstClients.admit(id, clients, paths.attach);
    this.#observer.follow(managed, { monitor, init, startedAt: Date.now() });
    this.#networks.started(id);
  }

  async signal(id: ContainerId, signal: string): Promise<boolean> {
    const number = parseSignal(signal);
    const { process } = await this.#observer.look(this.#get(id));
    if (process.state !== 'Running') return false;
    const target = this.#options.native.watchProcess(process.init, () => {});
    const sent = target?.signal(number) ?? false;
    target?.close();
    return sent;
  }

  async kill(id: ContainerId): Promise<void> {
    const managed = this.#get(id);
    const { native } = this.#options;
    const { process } = await this.#observer.look(managed);
    await this.#freezes.resume(managed.paths); // a frozen process of a v1 cgroup can't die
    // With the first process of its pid namespace goes every other one. The monitor is left to make its record of that.
    if (process.state === 'Running') await killAndWait(native, process.init);
    if (process.state !== 'Running' || sharesProcesses(managed)) await endStrays(native, this.#layout, managed.paths.cgroup, id);
  }

  async pause(id: ContainerId): Promise<void> {
    const { record, paths } = this.#get(id);
    if ((await this.#initOf(id)) === undefined) throw new MooringError('Conflict', `container ${record.name} is not running`);
    await this.#freezes.pause(paths);
  }

  async resume(id: ContainerId): Promise<void> {
    const managed = this.#get(id);
    await this.#freezes.resume(managed.paths);
    const { snapshot, process } = await this.#observer.look(managed);
    if (snapshot.isStopped && process.state === 'Running') await this.signal(id, 'SIGCONT');
  }

  async update(id: ContainerId, container: Container, specHash: string): Promise<void> {
    await this.#updates.update(this.#get(id), container, specHash);
  }

  async restoreLimits(id: ContainerId): Promise<void> {
    await this.#updates.restoreLimits(this.#get(id));
  }

  async restoreNetwork(id: ContainerId): Promise<void> {
    await this.#updates.restoreNetwork(this.#get(id));
  }

  async reset(id: ContainerId): Promise<void> {
    await this.#remover.reset(this.#get(id));
  }

  async remove(id: ContainerId): Promise<void> {
    await this.#remover.remove(this.#get(id));
  }

  list(): { readonly id: ContainerId; readonly name: ContainerName }[] {
    return [...this.#byId.values()].map(({ record }) => ({ id: record.id, name: record.name }));
  }

  stats(): Promise<ContainerStats[]> {
    return readStats(this.#options.native, this.#layout, [...this.#byId.values()]);
  }

  logs(id: ContainerId, options: LogOptions): AsyncIterable<readonly LogLine[]> {
    return readLog(this.#get(id).paths.log, options);
  }

  async attach(id: ContainerId): Promise<Duplex> {
    const { record, paths } = this.#get(id);
    const connection = await connectAttach(paths.attach);
    if (connection) return connection;
    throw new MooringError('Conflict', `container ${record.name} is not running`, { fix: 'see what it wrote with "mooring logs"' });
  }

  async exec(id: ContainerId, request: ExecRequest, onEnd?: (exit: ExitRecord | undefined) => void): Promise<ExecResult> {
    const managed = this.#get(id);
    const { process } = await this.#observer.look(managed);
    if (process.state !== 'Running') throw new MooringError('Conflict', `container ${managed.record.name} is not running`);
    if (await this.#freezes.isPaused(managed.paths.cgroup)) throw new MooringError('Conflict', `container ${managed.record.name} is paused`, { fix: 'let it run on first' });
    return this.#execs.start(managed, process.init, request, onEnd);
  }

  execs(id: ContainerId): Promise<string[]> {
    return this.#execs.list(this.#get(id));
  }

  killExec(exec: string): void {
    this.#execs.kill(exec);
  }

  attachExec(id: ContainerId, exec: string): Promise<Duplex> {
    return this.#execs.attach(this.#get(id), exec);
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async adopt(): Promise<void> {
    const found = await Promise.all([...this.#byId.values()].map(async (managed) => ({ managed, process: (await this.#observer.look(managed)).process })));
    await Promise.all([...found.map(({ managed }) => this.#execs.collect(managed)), this.volumes.adopt()]);
    for (const { managed, process } of found) {
      if (process.state === 'Running' && (await this.#freezes.release(managed.paths))) this.#options.logger.warn({ container: managed.record.name }, 'thawed a container that a killed daemon had frozen');
    }
    for (const { managed, process } of found) if (process.state === 'Exited' && sharesProcesses(managed)) await endStrays(this.#options.native, this.#layout, managed.paths.cgroup, managed.record.id);
    await this.#networks.adopt(found.map(({ managed, process }) => ({ ...managed.record, init: process.state === 'Running' ? process.init : undefined })));
  }

  async collect(): Promise<void> {
    const { native, dataDir, logger } = this.#options;
    await collectLitter({ native, dataDir, logger, layout: this.#layout, folders: this.#folders, configs: this.#configs, isKnown: (id) => this.#byId.has(id as ContainerId) });
    await this.#remover.removeParentIfUnused();
    this.#sandboxes.fill();
  }

  async close(): Promise<void> {
    this.#bundles.close();
    await this.#closeSandboxes();
    this.#networks.close();
    this.volumes.close();
    await this.#names.closeAll();
    this.#listeners.clear();
    this.#execs.close();
    for (const managed of this.#byId.values()) this.#observer.unfollow(managed);
    await this.#remover.close();
  }

  async #closeSandboxes(): Promise<void> {
    const unused = [...this.#byId.values()].flatMap(({ sandbox, record }) => (sandbox ? [{ sandbox, id: record.id }] : []));
    for (const { sandbox } of unused) sandbox.dismiss();
    const ids = [...(await this.#sandboxes.close()), ...unused.map(({ id }) => id)];
    await this.#remover.removeSandboxes(ids);
  }

  async #initOf(id: ContainerId): Promise<ProcessIdentity | undefined> {
    const managed = this.#byId.get(id);
    const process = managed && (await this.#observer.look(managed)).process;
    return process?.state === 'Running' ? process.init : undefined;
  }

  #hint(id: ContainerId, reason: EngineEvent['reason'] = 'NetworkChanged'): void {
    const managed = this.#byId.get(id);
    if (managed) this.#tell(managed, reason);
  }

  #tell({ record }: ManagedContainer, reason: EngineEvent['reason']): void {
    for (const listener of this.#listeners) listener({ id: record.id, name: record.name, reason });
  }

  #manage(record: ContainerRecord): ManagedContainer {
    const paths = containerPaths(this.#folders, record.id);
    const managed: ManagedContainer = { record, paths, fresh: false, run: undefined, watches: undefined, wantedMounts: undefined, settling: undefined };
    this.#byId.set(record.id, managed);
    this.#byName.set(record.name, managed);
    return managed;
  }

  #get(id: ContainerId): ManagedContainer {
    const managed = this.#byId.get(id);
    if (!managed) throw new MooringError('NotFound', `there is no container ${id}`);
    return managed;
  }
}
