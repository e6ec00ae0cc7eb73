import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { ContainerId, ExecRequest } from '../../engine/engine.ts';
import { DockerError } from './error-reply.ts';
import { kept } from './kept.ts';

/** More than anybody has at a time who still means to start or to look at them. */
const MOST = 4096;
/** How long it is told how one ended. */
const REMEMBERED_MS = 5 * 60_000;

/** A process that was asked for beside a container's first. */
export interface ExecInstance {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly containerId: ContainerId;
  readonly request: ExecRequest;
  readonly attach: { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean };
  readonly detachKeys: string | undefined;
  readonly privileged: boolean;
  state: 'Created' | 'Running' | 'Ended';
  /** The engine's id of it. */
  engineId?: string;
  pid?: number;
  /** Undefined also where nobody knows. */
  exitCode?: number;
  /** The connection that its client's streams go through. */
  connection?: Duplex;
}

/** Those of this daemon: one that comes after it knows none of them, as the engine's. */
export class ExecRegistry {
  readonly #instances = new Map<string, ExecInstance>();

  create(exec: Pick<ExecInstance, 'containerId' | 'request' | 'attach' | 'detachKeys' | 'privileged'>): ExecInstance {
    if (this.#instances.size >= MOST) this.#forgetOne();
    const instance: ExecInstance = { ...exec, id: randomBytes(32).toString('hex'), state: 'Created' };
    this.#instances.set(instance.id, instance);
    return instance;
  }

  /** Throws 404. */
  get(id: string): ExecInstance {
    const instance = this.#instances.get(id);
    if (instance === undefined) throw new DockerError(404, `No such exec instance: ${id}`);
    return instance;
  }

  ended(instance: ExecInstance, exitCode: number | undefined): void {
    if (instance.state === 'Ended') return;
    instance.state = 'Ended';
    if (exitCode !== undefined) instance.exitCode = exitCode;
    delete instance.connection;
    setTimeout(() => this.#instances.delete(instance.id), REMEMBERED_MS).unref();
  }

  /** Ids of those that run in a container. */
  runningIn(containerId: ContainerId): string[] {
    return [...this.#instances.values()].filter((each) => each.containerId === containerId && each.state === 'Running').map(({ id }) => id);
  }

  /** The oldest that does not run. */
  #forgetOne(): void {
    const oldest = [...this.#instances.values()].find(({ state }) => state !== 'Running');
    if (oldest === undefined) throw new DockerError(503, `${MOST} added processes run; wait until some have ended`);
    this.#instances.delete(oldest.id);
  }
}

export const execsOf = kept(() => new ExecRegistry());
