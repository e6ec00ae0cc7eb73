import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Native, PreparedMonitor } from '../../native/native.ts';
import type { ContainerId } from '../engine.ts';
import type { RuntimeConfig } from './runtime-spec.ts';

export interface SandboxPoolOptions {
  readonly native: Native;
  readonly runtimePath: string;
  /** Below each hierarchy; a sandbox is in the cgroup `<parent>/<id>`. */
  readonly cgroupParent: string;
  readonly logger: Logger;
  /** How many stand ready. Each takes about a megabyte, most of it the kernel's. */
  readonly size: number;
}

/** What a container's start finds done: its monitor, its first process in its namespaces and cgroups. It goes with the id. */
export interface Sandbox {
  readonly id: ContainerId;
  readonly monitor: PreparedMonitor;
}

/** None is made while containers are being started: that would take from them what it is to give. */
const IDLE_MS = 100;
/** After one could not be made. */
const PAUSE_MS = 30_000;

/** The namespaces that a sandbox has (native/runtime/sandbox.h). */
const NAMESPACES = 'cgroup ipc mount network pid uts';

/** Whether a sandbox can become what the bundle wants: its own network namespace may be changed for one given by path, the others are as they are. */
export function fitsSandbox({ linux }: RuntimeConfig): boolean {
  const types = linux.namespaces.map(({ type }) => type).toSorted((a, b) => a.localeCompare(b));
  return types.join(' ') === NAMESPACES && linux.namespaces.every(({ type, path: joined }) => type === 'network' || joined === undefined);
}

/** A few sandboxes made ahead, while nothing else is to be done. */
export class SandboxPool {
  readonly #options: SandboxPoolOptions;
  readonly #ready: Sandbox[] = [];
  #timer: NodeJS.Timeout | undefined;
  #making: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: SandboxPoolOptions) {
    this.#options = options;
  }

  /** One that is ready, if there is. The pool fills up again once no more are taken for a moment. */
  take(): Sandbox | undefined {
    const sandbox = this.#ready.shift();
    this.fill();
    return sandbox;
  }

  /** One that was taken and not used. */
  giveBack(sandbox: Sandbox): void {
    if (this.#closed) sandbox.monitor.dismiss();
    else this.#ready.push(sandbox);
  }

  /** Once nothing that is left of an earlier daemon can be mistaken for a sandbox. */
  fill(pause = IDLE_MS): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#options.size === 0) return;
    this.#timer = setTimeout(() => void (this.#making = this.#make()), pause).unref();
  }

  /** Gives the ids of those that stood ready; they end, and their cgroups with them, in a moment. */
  async close(): Promise<ContainerId[]> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#making;
    for (const { monitor } of this.#ready) monitor.dismiss();
    return this.#ready.splice(0).map(({ id }) => id);
  }

  async #make(): Promise<void> {
    const { native, runtimePath, cgroupParent, logger, size } = this.#options;
    if (this.#ready.length >= size) return;
    const id = randomBytes(32).toString('hex') as ContainerId;
    try {
      const monitor = await native.prepareMonitor({ runtime: runtimePath, cgroup: path.join(cgroupParent, id) });
      this.#ready.push({ id, monitor });
      if (this.#ready.length < size) this.fill(0);
    } catch (error) {
      logger.warn({ error: messageOf(error) }, 'a sandbox could not be made ahead; starts take a little longer');
      this.fill(PAUSE_MS);
    }
  }
}
