import type { Duplex } from 'node:stream';

import { MooringError } from '../../lib/errors.ts';
import type { ContainerId } from '../engine.ts';
import { connectAttach } from './attach-connection.ts';

interface Waiter {
  readonly connected: (connection: Duplex) => void;
  readonly failed: (error: unknown) => void;
}

/** Those who mean to see all of a container's next run. Its monitor awaits as many as are announced to it. */
export class FirstClients {
  readonly #waiting = new Map<ContainerId, Set<Waiter>>();

  /** Settles with the next run. */
  join(id: ContainerId, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    const waiter: Waiter = { connected: resolve, failed: reject };
    const waiters = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiters.add(waiter));
    const leave = (): void => {
      waiters.delete(waiter);
      if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id);
      reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', leave));
  }

  /** Those of a run that is about to begin. */
  of(id: ContainerId): readonly Waiter[] {
    return [...(this.#waiting.get(id) ?? [])];
  }

  /** Connects them to the run that has begun. One who left meanwhile is connected and hung up on: the monitor would wait for it. */
  async admit(id: ContainerId, announced: readonly Waiter[], socketPath: string): Promise<void> {
    const present = this.#waiting.get(id);
    await Promise.all(
      announced.map(async (waiter) => {
        const isPresent = present?.delete(waiter) ?? false;
        try {
          const connection = await connectAttach(socketPath);
          if (connection === undefined) throw new MooringError('Unavailable', `container ${id} was started, and its monitor is gone`);
          if (isPresent) waiter.connected(connection);
          else connection.destroy();
        } catch (error) {
          waiter.failed(error);
        }
      }),
    );
    if (present?.size === 0 && this.#waiting.get(id) === present) this.#waiting.delete(id);
  }

  /** There will be no run any more. */
  refuse(id: ContainerId): void {
    for (const waiter of this.of(id)) waiter.failed(new MooringError('NotFound', `container ${id} was removed before it ran`));
    this.#waiting.delete(id);
  }
}
