import { isDeepStrictEqual } from 'node:util';
import type { ConfigDigests, GivenConfig } from '../../src/engine/config.ts';
import type { ContainerEngine, ContainerId, ContainerStats, Drift, EngineEvent, ExitRecord, LogLine, ObservedContainer, ObservedProcess } from '../../src/engine/engine.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { MooringError } from '../../src/lib/errors.ts';
import type { Container } from '../../src/spec/container.ts';
import { containerName, type ContainerName } from '../../src/spec/name.ts';

export type Operation = 'observe' | 'create' | 'start' | 'signal' | 'kill' | 'pause' | 'resume' | 'update' | 'restoreLimits' | 'restoreNetwork' | 'reset' | 'remove';

/** What goes wrong with one call: it fails before it did anything, it works though the caller hears of a failure, or it never comes back. */
export type Fault = { readonly kind: 'error' | 'lostReply'; readonly error: MooringError } | { readonly kind: 'hang'; readonly until: Promise<void> };

/** How a container's program behaves. Times are milliseconds. */
export interface Program {
  /** How long run number `run` (from 1) lasts by itself, and what it ends with. */
  readonly run?: (run: number) => { readonly lasts: number; readonly exitCode: number };
  /** How long it takes to end after the stop signal; undefined for a program that ignores it. */
  readonly endsAfterSignal?: number | undefined;
  /** Stuck in the kernel: not even a kill ends it. */
  unkillable?: boolean;
}

interface SimulatedContainer {
  readonly id: ContainerId;
  readonly container: Container;
  readonly specHash: string;
  readonly imageId: string;
  readonly config: ConfigDigests | undefined;
  readonly createdAt: number;
  process: ObservedProcess;
  drift: Drift[];
  ends: unknown;
  /** What ended it while it stood still; it notices once it runs on. */
  dueEnd?: Pick<ExitRecord, 'exitCode' | 'signal'>;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** A kernel and an engine over it, in simulated time. It outlives the daemon: a new reconciler over it finds what the former left. */
export class SimulatedEngine implements ContainerEngine {
  readonly programs = new Map<ContainerName, Program>();
  /** Every call in order. */
  readonly calls: { readonly at: number; readonly operation: Operation; readonly name: ContainerName }[] = [];
  /** Calls that a right caller never makes. */
  readonly violations: string[] = [];
  /** Decides what goes wrong with a call. */
  fault: (operation: Operation, name: ContainerName) => Fault | undefined = () => undefined;
  /** Whether an event gets lost. */
  losesEvent: (event: EngineEvent) => boolean = () => false;
  /** What the image of a container that is made now is. */
  imageIdOf: (image: string) => string = () => 'sha256:0';
  latency = 1;
  readonly #clock: Clock;
  readonly #containers = new Map<ContainerName, SimulatedContainer>();
  readonly #ids = new Map<ContainerId, SimulatedContainer>();
  readonly #busy = new Map<ContainerName, Operation>();
  readonly #runs = new Map<ContainerName, number>();
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  #serial = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The documents of what is there, running or not. */
  containers(): Container[] {
    return [...this.#containers.values()].map(({ container }) => container);
  }

  async observe(name: ContainerName): Promise<ObservedContainer | undefined> {
    await this.#call('observe', name);
    const found = this.#containers.get(name);
    if (found === undefined) return undefined;
    const { id, container, specHash, imageId, config, createdAt, process, drift } = found;
    return { id, name, container, specHash, imageId, ...(config && { config }), createdAt, process, drift: [...drift] };
  }

  create(container: Container, specHash: string, config?: GivenConfig): Promise<ContainerId> {
    const name = containerName(container.metadata);
    return this.#exclusive('create', name, () => {
      if (this.#containers.has(name)) throw this.#violation(`create of ${name}, which is there`);
      const id = this.#newId();
      const made: SimulatedContainer = { id, container, specHash, imageId: this.imageIdOf(container.spec.image), config: config?.digests, createdAt: this.#clock.now(), process: { state: 'None' }, drift: [], ends: undefined };
      this.#containers.set(name, made);
      this.#ids.set(id, made);
      return id;
    });
  }

  start(id: ContainerId, config?: GivenConfig): Promise<void> {
    const found = this.#byId(id);
    const name = containerName(found.container.metadata);
    return this.#exclusive('start', name, () => {
      if (found.process.state === 'Running') throw this.#violation(`start of ${name}, which runs`);
      if (!isDeepStrictEqual(found.config, config?.digests)) throw new MooringError('Unavailable', `what ${name} was made with has changed`);
      const run = (this.#runs.get(name) ?? 0) + 1;
      this.#runs.set(name, run);
      found.drift = [];
      this.#serial += 1;
      const init = { pid: this.#serial, startTime: this.#clock.now() };
      found.process = { state: 'Running', init, monitor: { ...init, pid: init.pid + 1_000_000 }, startedAt: this.#clock.now() };
      const { lasts, exitCode } = this.programs.get(name)?.run?.(run) ?? { lasts: Number.POSITIVE_INFINITY, exitCode: 0 };
      if (lasts !== Number.POSITIVE_INFINITY) this.#endIn(found, lasts, { exitCode, signal: null });
    });
  }

  async signal(id: ContainerId, signal: string): Promise<boolean> {
    const found = this.#byId(id);
    const name = containerName(found.container.metadata);
    await this.#call('signal', name);
    if (found.process.state !== 'Running') return false;
    const program = this.programs.get(name);
    const number = SIGNALS[signal] ?? 1;
    const after = program !== undefined && 'endsAfterSignal' in program ? program.endsAfterSignal : 5;
    if (after !== undefined) this.#endIn(found, after, { exitCode: 128 + number, signal: number });
    return true;
  }

  async kill(id: ContainerId): Promise<void> {
    const found = this.#byId(id);
    const name = containerName(found.container.metadata);
    await this.#call('kill', name);
    if (this.programs.get(name)?.unkillable !== true) this.#endIn(found, 1, { exitCode: 137, signal: 9 });
  }

  restoreLimits(id: ContainerId): Promise<void> {
    const found = this.#byId(id);
    return this.#exclusive('restoreLimits', containerName(found.container.metadata), () => {
      found.drift = found.drift.filter(({ kind }) => kind !== 'Limits');
    });
  }

  pause(id: ContainerId): Promise<void> {
    const found = this.#byId(id);
    return this.#exclusive('pause', containerName(found.container.metadata), () => {
      if (found.process.state !== 'Running') throw new MooringError('Conflict', 'it does not run');
      found.process = { ...found.process, frozen: true };
    });
  }

  resume(id: ContainerId): Promise<void> {
    const found = this.#byId(id);
    return this.#exclusive('resume', containerName(found.container.metadata), () => this.#thaw(found));
  }

  update(id: ContainerId, container: Container, specHash: string): Promise<void> {
    const found = this.#byId(id);
    return this.#exclusive('update', containerName(found.container.metadata), () => {
      Object.assign(found, { container, specHash });
      found.drift = found.drift.filter(({ kind }) => kind !== 'Network' && kind !== 'Limits');
    });
  }

  restoreNetwork(id: ContainerId): Promise<void> {
    const found = this.#byId(id);
    return this.#exclusive('restoreNetwork', containerName(found.container.metadata), () => {
      found.drift = found.drift.filter(({ kind }) => kind !== 'Network');
    });
  }

  reset(id: ContainerId): Promise<void> {
    const name = containerName(this.#byId(id).container.metadata);
    return this.#exclusive('reset', name, () => {
      if (this.#byId(id).process.state === 'Running') throw this.#violation(`reset of ${name}, which runs`);
    });
  }

  remove(id: ContainerId): Promise<void> {
    const found = this.#byId(id);
    const name = containerName(found.container.metadata);
    return this.#exclusive('remove', name, () => {
      if (found.process.state === 'Running') throw this.#violation(`remove of ${name}, which runs`);
      this.#containers.delete(name);
      this.#ids.delete(id);
    });
  }

  list(): { id: ContainerId; name: ContainerName }[] {
    return [...this.#containers].map(([name, { id }]) => ({ id, name }));
  }

  stats(): Promise<ContainerStats[]> {
    return Promise.reject(new MooringError('Unsupported', 'the simulated engine has no counters'));
  }

  async *logs(): AsyncIterable<readonly LogLine[]> {}

  attach(): Promise<never> {
    return Promise.reject(new MooringError('Unsupported', 'nothing is simulated of what processes write'));
  }

  async execs(): Promise<string[]> {
    return [];
  }

  exec(): Promise<never> {
    return this.attach();
  }

  killExec(): void {}

  attachExec(): Promise<never> {
    return this.attach();
  }

  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** What the kernel has, without a call. */
  peek(name: ContainerName): { readonly process: ObservedProcess; readonly drift: readonly Drift[]; readonly specHash: string } | undefined {
    return this.#containers.get(name);
  }

  /** The process as a person with `kill -9` would end it. False when it does not run. */
  crash(name: ContainerName): boolean {
    const found = this.#containers.get(name);
    if (found?.process.state !== 'Running') return false;
    this.#end(found, { exitCode: 137, signal: 9 });
    return true;
  }

  /** Somebody writes to the freezer of its cgroup. */
  freeze(name: ContainerName, frozen: boolean): void {
    const found = this.#containers.get(name);
    if (found?.process.state !== 'Running') return;
    if (frozen) found.process = { ...found.process, frozen };
    else this.#thaw(found);
    this.#emit(found, 'FreezerChanged');
  }

  /** Somebody changes the node behind Mooring's back. False when there is no such process. */
  disturb(name: ContainerName, drift: Drift): boolean {
    const found = this.#containers.get(name);
    if (found?.process.state !== 'Running') return false;
    found.drift = [...found.drift.filter(({ kind }) => kind !== drift.kind), drift];
    this.#emit(found, drift.kind === 'Limits' ? 'LimitsChanged' : drift.kind === 'Network' ? 'NetworkChanged' : drift.kind === 'Bundle' ? 'BundleChanged' : 'MountsChanged');
    return true;
  }

  /** The machine goes down and comes up: no process is left, and what ended was not recorded. */
  reboot(): void {
    for (const found of this.#containers.values()) {
      this.#clock.clearTimeout(found.ends);
      if (found.process.state === 'Running') found.process = { state: 'None' };
      found.drift = [];
    }
  }

  /** What was to end it meanwhile does now. */
  #thaw(found: SimulatedContainer): void {
    if (found.process.state !== 'Running') return;
    const { frozen: _, ...process } = found.process;
    found.process = process;
    const { dueEnd } = found;
    delete found.dueEnd;
    if (dueEnd) this.#end(found, dueEnd);
  }

  #byId(id: ContainerId): SimulatedContainer {
    const found = this.#ids.get(id);
    if (found !== undefined) return found;
    throw new MooringError('NotFound', `there is no container ${id.slice(0, 12)}`);
  }

  #newId(): ContainerId {
    this.#serial += 1;
    return this.#serial.toString(16).padStart(64, '0') as ContainerId;
  }

  #violation(message: string): MooringError {
    this.violations.push(message);
    return new MooringError('Conflict', message);
  }

  /** Runs the effect of a call that must not overlap another such call on the same container. */
  async #exclusive<T>(operation: Operation, name: ContainerName, effect: () => T): Promise<T> {
    const busy = this.#busy.get(name);
    if (busy !== undefined) throw this.#violation(`${operation} of ${name} beside its ${busy}`);
    this.#busy.set(name, operation);
    try {
      const fault = await this.#call(operation, name);
      const result = effect();
      if (fault?.kind === 'lostReply') throw fault.error;
      return result;
    } finally {
      this.#busy.delete(name);
    }
  }

  async #call(operation: Operation, name: ContainerName): Promise<Fault | undefined> {
    this.calls.push({ at: this.#clock.now(), operation, name });
    const fault = this.fault(operation, name);
    if (fault?.kind === 'hang') await fault.until;
    else if (this.latency > 0) await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, this.latency));
    if (fault?.kind === 'error') throw fault.error;
    return fault;
  }

  #endIn(found: SimulatedContainer, delay: number, how: Pick<ExitRecord, 'exitCode' | 'signal'>): void {
    this.#clock.clearTimeout(found.ends);
    found.ends = this.#clock.setTimeout(() => this.#end(found, how), delay);
  }

  #end(found: SimulatedContainer, how: Pick<ExitRecord, 'exitCode' | 'signal'>): void {
    this.#clock.clearTimeout(found.ends);
    if (found.process.state !== 'Running') return;
    if (found.process.frozen === true) {
      found.dueEnd = how;
      return;
    }
    found.process = { state: 'Exited', exit: { ...how, oomKilled: false, startedAt: found.process.startedAt, finishedAt: this.#clock.now() } };
    found.drift = [];
    this.#emit(found, 'Exited');
  }

  #emit({ id, container }: SimulatedContainer, reason: EngineEvent['reason']): void {
    const event: EngineEvent = { id, name: containerName(container.metadata), reason };
    if (this.losesEvent(event)) return;
    for (const listener of this.#listeners) listener(event);
  }
}
