import path from 'node:path';

import { watch, type FSWatcher } from 'chokidar';

import type { BuildEngine, BuildProgress, BuildRequest } from '../engine/builds.ts';
import { MooringError, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { BuildSource } from '../reconcile/build-source.ts';
import type { DesiredContainer } from '../reconcile/desired.ts';
import { fileOfLocation } from '../reconcile/desired-store.ts';
import type { ContainerName } from '../spec/name.ts';

/** Editors and git write many files at a time. */
const SETTLE_MS = 300;

export interface BuildSourceOptions {
  readonly builds: Pick<BuildEngine, 'build'>;
  /** The folder of documents, where relative contexts begin. */
  readonly specs: string;
  readonly logger: Logger;
}

interface Followed {
  /** What it is built from, so that a changed document is another build. */
  readonly key: string;
  readonly watcher: FSWatcher;
  /** Counts the changes that were seen. */
  changes: number;
  /** What was built, and after how many changes. */
  built: { readonly imageId: string; readonly changes: number } | undefined;
  timer: NodeJS.Timeout | undefined;
}

/**
 * The build engine as the reconciler needs it. A context is watched as a hint only: after any change it is built again, which costs the reading of what
 * has changed where the cache knows the rest, and the image's ID says whether anything is different.
 */
export class ContextBuilds implements BuildSource, AsyncDisposable {
  readonly #options: BuildSourceOptions;
  readonly #followed = new Map<ContainerName, Followed>();
  readonly #listeners = new Set<(name: ContainerName) => void>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: BuildSourceOptions) {
    this.#options = options;
  }

  built(desired: DesiredContainer): string | undefined {
    const followed = this.#followed.get(desired.name);
    if (followed?.key !== keyOf(desired) || followed.built?.changes !== followed.changes) return undefined;
    return followed.built.imageId;
  }

  async build(desired: DesiredContainer, onProgress: (message: string) => void, signal: AbortSignal): Promise<void> {
    const { image } = desired.container.spec;
    // Watched before it is read, so that no change falls between.
    const followed = await this.#watch(desired);
    const { changes } = followed;
    try {
      const { imageId } = await this.#options.builds.build(this.#request(desired), { signal, onProgress: (progress) => tell(progress, image, onProgress) });
      followed.built = { imageId, changes };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof MooringError)) throw new MooringError('Internal', `build image ${image}`, { cause: error });
      const place = error.at === undefined ? '' : `${error.at}: `;
      throw new MooringError(error.code, `build image ${image}: ${place}${messageOf(error)}`, error.fix === undefined ? {} : { fix: error.fix });
    }
  }

  follow(name: ContainerName, desired: DesiredContainer | undefined): void {
    if (desired?.container.spec.build === undefined) this.#forget(name);
  }

  subscribe(listener: (name: ContainerName) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#followed.keys()) this.#forget(name);
    await Promise.all(this.#closing);
  }

  async #watch(desired: DesiredContainer): Promise<Followed> {
    const { name } = desired;
    const key = keyOf(desired);
    const known = this.#followed.get(name);
    if (known?.key === key) return known;
    this.#forget(name);
    const watcher = watch(this.#contextOf(desired), { ignoreInitial: true, followSymlinks: false, ignorePermissionErrors: true });
    const followed: Followed = { key, watcher, changes: 0, built: undefined, timer: undefined };
    watcher.on('all', () => this.#hear(name, followed));
    watcher.on('error', (error) => this.#options.logger.warn({ error: messageOf(error), name }, 'can not watch a context whole; a changed document builds again'));
    this.#followed.set(name, followed);
    await new Promise<void>((resolve) => watcher.once('ready', resolve));
    return followed;
  }

  #hear(name: ContainerName, followed: Followed): void {
    followed.changes++;
    clearTimeout(followed.timer);
    followed.timer = setTimeout(() => {
      for (const listener of this.#listeners) listener(name);
    }, SETTLE_MS);
  }

  #forget(name: ContainerName): void {
    const followed = this.#followed.get(name);
    if (!followed) return;
    this.#followed.delete(name);
    clearTimeout(followed.timer);
    const closing = followed.watcher.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #contextOf({ container, origin }: DesiredContainer): string {
    const { context = '' } = container.spec.build ?? {};
    if (path.isAbsolute(context)) return context;
    if (origin.source === 'directory') return path.resolve(this.#options.specs, path.dirname(fileOfLocation(origin.location)), context);
    throw new MooringError('Invalid', `spec.build.context is "${context}", and a document that no file of the node holds has no folder where that begins`, { fix: 'give an absolute path' });
  }

  #request(desired: DesiredContainer): BuildRequest {
    const { build, image } = desired.container.spec;
    return {
      context: { kind: 'folder', path: this.#contextOf(desired) },
      dockerfile: { kind: 'context', path: build?.dockerfile ?? 'Dockerfile' },
      tags: [image],
      ...(build?.target !== undefined && { target: build.target }),
      buildArguments: new Map(build?.args.map(({ name, value }) => [name, value])),
      labels: new Map(),
      noCache: false,
      pull: false,
      network: 'Bridge',
      addHosts: [],
      secrets: new Map(),
      ssh: new Map(),
      outputs: [],
    };
  }
}

function keyOf({ container, origin }: DesiredContainer): string {
  return JSON.stringify([container.spec.build, container.spec.image, origin.source, fileOfLocation(origin.location)]);
}

function tell(progress: BuildProgress, image: string, onProgress: (message: string) => void): void {
  if (progress.type === 'STEP' && progress.state === 'Started') onProgress(`builds image ${image}: ${progress.at}: ${progress.text}`);
  else if (progress.type === 'DETAIL') onProgress(`builds image ${image}: ${progress.text}`);
}
