import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { LocalBuildEngine } from '../../../src/engine/build/build-engine.ts';
import type { BuildProgress, BuildRequest, BuildResult } from '../../../src/engine/builds.ts';
import { removeCgroupIfEmpty } from '../../../src/engine/containers/cgroup-folders.ts';
import { CgroupLayout } from '../../../src/engine/containers/cgroup-layout.ts';
import { readHostFacts } from '../../../src/engine/containers/host-facts.ts';
import { TransientContainers } from '../../../src/engine/containers/transient.ts';
import { ensureBusyboxImage } from '../../../src/engine/images/busybox-image.ts';
import { createImageEngine, type OwnedImageEngine } from '../../../src/engine/images/image-engine.ts';
import { ImageStore } from '../../../src/engine/images/image-store.ts';
import type { ImageDetails } from '../../../src/engine/images.ts';
import { plainRegistries } from '../../../src/engine/images/registry/registry-settings.ts';
import { BuildCacheRecords } from '../../../src/engine/store/build-cache-records.ts';
import { DataDir } from '../../../src/engine/store/data-dir.ts';
import { Database } from '../../../src/engine/store/database.ts';
import { MooringError } from '../../../src/lib/errors.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { cgroupsOf, mountsMentioning, processesMentioning } from '../../support/kernel.ts';
import { until } from '../../support/until.ts';

export const BASE = 'mooring.local/busybox:latest';
const BUILT = path.resolve(import.meta.dirname, '../../../native/build');

/** Contents of a context's files; a folder for null. */
export type Files = Readonly<Record<string, string | Buffer | null>>;

export interface Built extends BuildResult {
  readonly details: ImageDetails;
  readonly progress: readonly BuildProgress[];
}

interface Parts {
  readonly root: string;
  readonly instance: string;
  readonly dataDir: DataDir;
  readonly database: Database;
  readonly images: OwnedImageEngine;
  readonly builds: LocalBuildEngine;
  readonly layout: CgroupLayout;
}

/** A builder of its own, without a daemon. Disposing of it removes it, and fails if anything of a build is left. */
export class TestBuilder implements AsyncDisposable {
  readonly root: string;
  readonly images: OwnedImageEngine;
  readonly builds: LocalBuildEngine;
  readonly dataDir: DataDir;
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.root = parts.root;
    this.images = parts.images;
    this.builds = parts.builds;
    this.dataDir = parts.dataDir;
    this.#parts = parts;
  }

  static async open(): Promise<TestBuilder> {
    const root = await mkdtemp(path.join(tmpdir(), 'mooring-build-'));
    const instance = `build-${randomBytes(4).toString('hex')}`;
    const dataDir = await DataDir.open(path.join(root, 'data'));
    const database = await Database.open(path.join(root, 'data'));
    const store = new ImageStore(dataDir, database);
    await ensureBusyboxImage(store);
    const records = new BuildCacheRecords(database);
    const cached = (): string[] => records.list().flatMap(({ diffId, chainId }) => [diffId, chainId]);
    const images = createImageEngine({ dataDir, images: store, archiver: path.join(BUILT, 'mooring-archive'), containers: () => [], registries: plainRegistries, cached, onFlushFailed: (error) => console.error('flush', error) });
    const run = path.join(root, 'run');
    const folders = { containers: dataDir.containers, states: path.join(run, 'containers'), seccompCache: path.join(run, 'seccomp'), networkNamespaces: path.join(run, 'netns'), cgroupParent: `/mooring-${instance}` };
    await Promise.all([folders.states, folders.seccompCache, folders.networkNamespaces].map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })));
    const native = loadNative();
    const layout = await CgroupLayout.detect();
    const lend = (): Promise<never> => Promise.reject(new MooringError('Unsupported', 'this test has no bridge'));
    const transients = new TransientContainers({ native, dataDir, layout, folders, host: await readHostFacts(), runtimePath: path.join(BUILT, 'mooring-runtime'), lend });
    const builds = new LocalBuildEngine({ room: images.room, images, native, transients, database });
    return new TestBuilder({ root, instance, dataDir, database, images, builds, layout });
  }

  /** A context's folder with these files. */
  async context(files: Files): Promise<string> {
    const folder = await mkdtemp(path.join(this.root, 'context-'));
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(folder, name);
      await mkdir(content === null ? file : path.dirname(file), { recursive: true });
      if (content !== null) await writeFile(file, content);
    }
    return folder;
  }

  /** Builds a Dockerfile over a context. */
  async build(dockerfile: string, files: Files | string = {}, more: Partial<BuildRequest> = {}): Promise<Built> {
    const folder = typeof files === 'string' ? files : await this.context(files);
    const progress: BuildProgress[] = [];
    const request: BuildRequest = {
      context: { kind: 'folder', path: folder },
      dockerfile: { kind: 'text', name: 'Dockerfile', content: dockerfile },
      tags: ['example.local/built:1'],
      buildArguments: new Map(),
      labels: new Map(),
      noCache: false,
      pull: false,
      network: 'None',
      addHosts: [],
      secrets: new Map(),
      ssh: new Map(),
      outputs: [],
      ...more,
    };
    const result = await this.builds.build(request, { signal: new AbortController().signal, onProgress: (each) => progress.push(each) });
    return { ...result, details: await this.images.inspect(result.imageId), progress };
  }

  /** What RUN wrote to its output in the course of a build. */
  async output(dockerfile: string, files: Files | string = {}, more: Partial<BuildRequest> = {}): Promise<string> {
    const { progress } = await this.build(dockerfile, files, more);
    return progress.flatMap((each) => (each.type === 'OUTPUT' ? [`${each.text}\n`] : [])).join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { instance, layout, database } = this.#parts;
    await this.images.close();
    const folders = [this.dataDir.containers, this.dataDir.temporary, path.join(this.root, 'run', 'containers')];
    await until('nothing of the builds is left', async () => {
      const files = (await Promise.all(folders.map((folder) => readdir(folder)))).flat();
      return [...files, ...(await mountsMentioning(this.root)), ...(await processesMentioning(this.root))].length === 0;
    });
    assert.deepEqual(await this.images.check(), []);
    await removeCgroupIfEmpty(layout, `/mooring-${instance}`);
    assert.deepEqual(await cgroupsOf(instance), []);
    database.close();
    await rm(this.root, { recursive: true });
  }
}

/** The states that the steps of a build ended in, by their instruction's first word. */
export function steps(progress: readonly BuildProgress[]): string[] {
  return progress.flatMap((each) => (each.type === 'STEP' && each.state !== 'Started' ? [`${each.text.split(' ')[0]} ${each.state}`] : []));
}
