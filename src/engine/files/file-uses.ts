import { MooringError } from '../../lib/errors.ts';
import type { ContainerId } from '../engine.ts';

/** A piece of work on a container's files, from `begin` until it is disposed of. */
export interface FileUse extends Disposable {
  /** Aborted when the caller wants no more, or the container is to be started or removed: the reason says so. */
  readonly signal: AbortSignal;
}

interface Entry {
  readonly aborting: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Keeps what uses a container's writable folder apart from the container's start: overlayfs must not have one such folder twice. A start does not
 * wait for a slow client: it ends the uses, which tell their callers.
 */
export class FileUses {
  readonly #entries = new Map<ContainerId, Set<Entry>>();
  readonly #exclusions = new Map<ContainerId, Promise<void>>();

  async begin(id: ContainerId, signal?: AbortSignal): Promise<FileUse> {
    while (this.#exclusions.has(id)) await this.#exclusions.get(id);
    const { promise, resolve } = Promise.withResolvers<void>();
    const entry = { aborting: new AbortController(), ended: promise };
    const entries = this.#entries.get(id) ?? new Set();
    this.#entries.set(id, entries.add(entry));
    return {
      signal: signal ? AbortSignal.any([signal, entry.aborting.signal]) : entry.aborting.signal,
      [Symbol.dispose]: () => {
        entries.delete(entry);
        if (entries.size === 0) this.#entries.delete(id);
        resolve();
      },
    };
  }

  /** Ends the uses, and lets none begin until the result is disposed of. */
  async exclude(id: ContainerId): Promise<Disposable> {
    while (this.#exclusions.has(id)) await this.#exclusions.get(id);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exclusions.set(id, promise);
    const entries = [...(this.#entries.get(id) ?? [])];
    for (const { aborting } of entries) aborting.abort(new MooringError('Conflict', 'the container was started or removed meanwhile', { fix: 'try again' }));
    await Promise.all(entries.map(({ ended }) => ended));
    return {
      [Symbol.dispose]: () => {
        this.#exclusions.delete(id);
        resolve();
      },
    };
  }
}
