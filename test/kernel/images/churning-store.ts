/**
 * Works on a store until it is killed: pulls an image, takes it away and collects it, over and over; or commits changes and builds in place of the pull. Arguments:
 * root folder, `pull` or `make`, and the image to pull.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import path from 'node:path';

import { LocalBuildEngine } from '../../../src/engine/build/build-engine.ts';
import type { BuildRequest } from '../../../src/engine/builds.ts';
import type { TransientContainers } from '../../../src/engine/containers/transient.ts';
import { BUSYBOX_IMAGE } from '../../../src/engine/images/busybox-image.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { openStore, type TestStore } from './store-support.ts';

const FILES = 150;

const [root = '', work = '', name = ''] = process.argv.slice(2);
await using store = await openStore({ root, busybox: work === 'make' });
// As a daemon does when it starts.
await store.dataDir.collectTemporary();
const round = work === 'pull' ? await puller(store) : await maker(store);
// What is killed leaves no cache behind by itself.
flushCompileCache();
process.stdout.write('ready\n');
for (;;) {
  await round();
  await store.engine.prune({ all: true, dryRun: false });
  process.stdout.write('round\n');
}

async function puller({ engine }: TestStore): Promise<() => Promise<void>> {
  // Loads the client of registries, so that what comes next is the work itself.
  await engine.latestDigest(name);
  return async () => {
    await engine.pull(name);
    await engine.remove(name, { force: true });
  };
}

async function maker({ engine, images, database }: TestStore): Promise<() => Promise<void>> {
  const changed = path.join(root, 'changed');
  await mkdir(changed, { recursive: true });
  for (let file = 0; file < FILES; file++) await writeFile(path.join(changed, `file-${file}`), `${file} `.repeat(300));
  // No step of it runs a process.
  const builds = new LocalBuildEngine({ room: engine.room, images: engine, native: loadNative(process.env['MOORING_ADDON']), transients: undefined as unknown as TransientContainers, database });
  const request: BuildRequest = {
    context: { kind: 'folder', path: changed },
    dockerfile: { kind: 'text', name: 'Dockerfile', content: 'FROM scratch AS one\nCOPY . /\nFROM one\nCOPY file-1 /again\nLABEL a=b\n' },
    tags: ['example.local/built:1'],
    buildArguments: new Map(),
    labels: new Map(),
    noCache: true,
    pull: false,
    network: 'None',
    addHosts: [],
    secrets: new Map(),
    ssh: new Map(),
    outputs: [],
  };
  let count = 0;
  return async () => {
    await writeFile(path.join(changed, 'moment'), `${process.pid} ${++count}`);
    const { imageId } = images.find(BUSYBOX_IMAGE);
    await engine.commit({ name: 'example.local/committed:1', imageId, upper: { folder: changed, lower: [] }, config: (config) => config, createdBy: 'test', whilePacking: (pack) => pack() });
    await builds.build(request, { signal: new AbortController().signal, onProgress: () => {} });
    await builds.pruneCache({ dryRun: false });
    for (const made of ['example.local/committed:1', 'example.local/built:1']) await engine.remove(made, { force: true });
  };
}
