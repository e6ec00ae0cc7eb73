import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once as onceEmitted } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

import { onNode, type TestNode } from '../../support/daemon.ts';
import { processesMentioning } from '../../support/kernel.ts';
import { pseudoRandom, type Random } from '../../support/pseudo-random.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { until } from '../../support/until.ts';
import { once, openStore } from './store-support.ts';

/** Of processes that do nothing but pull and collect, and of such that commit, build and collect. */
const STORE_DEATHS = { pull: 120, make: 80 };
/** Of those at a time: what takes longest is the start of the next process. */
const STORES = 3;
/** Of the daemon itself, with all that it does at a start. */
const DAEMON_DEATHS = 8;

const FILES = { few: 150, many: 1500 };

/** Another seed may be given; each run says which it had. */
function seeded(context: TestContext): Random {
  const seed = Number(process.env['MOORING_TEST_SEED'] ?? 1);
  context.diagnostic(`MOORING_TEST_SEED=${seed}`);
  return pseudoRandom(seed);
}

async function push(registry: TestRegistry, count: keyof typeof FILES): Promise<{ name: string; files: number; id: string }> {
  await using store = await openStore();
  const name = `${registry.address}/${count}:1`;
  const files = FILES[count];
  const random = pseudoRandom(7);
  // Not to be compressed, so that the transfer takes its time.
  const entries = Array.from({ length: files }, (_, index) => ({ name: `file-${index}`, content: Buffer.from(Array.from({ length: 400 }, () => random.below(256))) }));
  const { id } = await store.engine.import(once(tarArchive(entries)), name);
  await store.engine.push(name);
  return { name, files, id };
}

/** No half layer: each folder among the layers has all that its archive has, or is another's. */
async function assertWholeLayers(dataDir: string, files: number): Promise<void> {
  for (const layer of await readdir(path.join(dataDir, 'layers'))) {
    const count = (await readdir(path.join(dataDir, 'layers', layer))).length;
    assert.ok(count >= files || count < 50, `layer ${layer} has ${count} of ${files} files`);
  }
}

async function assertConsistent(node: TestNode, files: number): Promise<void> {
  const { code, stdout, stderr } = await node.mooring('image', 'check');
  assert.equal(code, 0, stdout + stderr);
  await assertWholeLayers(node.dataDir, files);
}

let folder: string;
let program: string;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mooring-death-'));
  program = path.join(folder, 'test/kernel/images/churning-store.mjs');
  // One file starts in a fraction of the time of many.
  await build({ entryPoints: [fileURLToPath(new URL('churning-store.ts', import.meta.url))], outfile: program, bundle: true, platform: 'node', format: 'esm', target: 'node24', supported: { using: true }, banner: { js: "import { createRequire as requirer } from 'node:module'; const require = requirer(import.meta.url);" }, logLevel: 'error' });
});

after(() => rm(folder, { recursive: true }));

/** Settles once the process is at work. */
async function churn(root: string, work: keyof typeof STORE_DEATHS, name: string): Promise<ChildProcess> {
  const built = fileURLToPath(new URL('../../../native/build', import.meta.url));
  const child = spawn(process.execPath, [program, root, work, name], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, MOORING_ARCHIVER: `${built}/mooring-archive`, MOORING_ADDON: `${built}/mooring.node`, NODE_COMPILE_CACHE: path.join(folder, 'compiled') } });
  await said(child);
  return child;
}

/** Settles at the next word of a process. */
async function said(child: ChildProcess): Promise<void> {
  const ended = onceEmitted(child, 'exit').then(() => assert.fail('it ended by itself'));
  await Promise.race([ended, onceEmitted(child.stdout ?? child, 'data')]);
  ended.catch(() => {});
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = onceEmitted(child, 'exit');
  assert.equal(child.exitCode, null, 'it did not end by itself');
  child.kill('SIGKILL');
  await ended;
}

interface Deaths {
  readonly root: string;
  readonly work: keyof typeof STORE_DEATHS;
  readonly name: string;
  readonly files: number;
  readonly random: Random;
}

/** Kills a store's process over and over, and gives how often something half made, a layer and a name were there then. */
async function dieOften({ root, work, name, files, random }: Deaths): Promise<{ withName: number; withLayer: number; withHalf: number }> {
  const seen = { withName: 0, withLayer: 0, withHalf: 0 };
  const standing = work === 'make' ? 1 : 0; // the image to commit upon
  // Wide enough for the work to have begun, on a slow machine, too.
  let span = 200;
  for (let death = 0; death < STORE_DEATHS[work] / STORES; death++) {
    const child = await churn(root, work, name);
    await sleep(random.below(span));
    await kill(child);
    const halves = (await readdir(path.join(root, 'data/tmp'))).length;
    await using store = await openStore({ root });
    assert.deepEqual(await store.engine.check(), [], `after death ${death}`);
    await assertWholeLayers(path.join(root, 'data'), files);
    const layers = (await readdir(path.join(root, 'data/layers'))).length - standing;
    const names = (await store.engine.list()).length - standing;
    for (const [what, count] of [['withHalf', halves], ['withLayer', layers], ['withName', names]] as const) if (count > 0) seen[what]++;
    span = layers + names > 0 ? Math.max(100, span * 0.95) : Math.min(3000, span * 1.2);
  }
  const last = await churn(root, work, name);
  await said(last); // a whole round
  await kill(last);
  await until('the archivers have died with their parents', async () => (await processesMentioning(root)).length === 0);
  await using store = await openStore({ root });
  await store.dataDir.collectTemporary();
  await store.engine.prune({ all: true, dryRun: false });
  const left = await Promise.all(['blobs/sha256', 'layers', 'tmp'].map(async (kind) => (await readdir(path.join(root, 'data', kind))).length));
  assert.deepEqual(left, [3 * standing, standing, 0], 'nothing is left but what stands');
  return seen;
}

for (const work of ['pull', 'make'] as const) {
  const what = { pull: 'pulls', make: 'commits and builds' }[work];
  test(`kill -9 at ${STORE_DEATHS[work]} random instants of ${what} and collections leaves a whole store, and a retry completes`, async (context) => {
    const random = seeded(context);
    await using registry = await startRegistry();
    const { name, files } = await push(registry, 'few');
    const all = await Promise.all(Array.from({ length: STORES }, (_, index) => dieOften({ root: path.join(folder, `${work}-${index}`), work, name, files, random })));
    context.diagnostic(JSON.stringify(all));
    assert.ok(all.some(({ withHalf }) => withHalf > 0) && all.some(({ withLayer }) => withLayer > 0), 'deaths fell into the work');
  });
}

test(
  `kill -9 of the daemon at ${DAEMON_DEATHS} random instants of pulls and prunes leaves a whole store, and a retry completes`,
  (context) =>
    onNode(async (node) => {
      const random = seeded(context);
      await using registry = await startRegistry();
      const { name, files, id } = await push(registry, 'many');
      for (let death = 0; death < DAEMON_DEATHS; death++) {
        await node.start();
        assert.deepEqual(await readdir(path.join(node.dataDir, 'tmp')), [], 'a new daemon clears what the old one left half made');
        await assertConsistent(node, files);
        // What went through before is taken away again, and its collection is a thing to be killed in, too.
        await node.mooring('image', 'rm', name);
        const work = (async () => {
          await node.mooring('image', 'prune');
          return node.mooring('pull', name);
        })();
        await sleep(random.below(1000));
        await node.end('SIGKILL');
        await work;
        await until('the unpacker has died with its parent', async () => (await processesMentioning(`unpack ${node.root}`)).length === 0);
      }
      await node.start();
      await assertConsistent(node, files);
      const { code, stderr } = await node.mooring('pull', '-q', name);
      assert.equal(code, 0, stderr);
      await assertConsistent(node, files);
      assert.match((await node.mooring('image', 'inspect', name)).stdout, new RegExp(id));
      await node.mooring('image', 'rm', name);
      await node.mooring('image', 'prune');
      assert.equal((await readdir(path.join(node.dataDir, 'layers'))).length, 1, 'only the layer of busybox is left');
    })(),
);

test(
  'kill -9 of the unpacker fails the pull, says so, and leaves nothing; a retry completes',
  onNode(async (node) => {
    await using registry = await startRegistry();
    const { name, files } = await push(registry, 'many');
    await node.start();
    for (let death = 0; death < 3; death++) {
      const pulling = node.mooring('pull', name);
      const [unpacker] = await until('the unpacker runs', async () => {
        const found = await processesMentioning(`unpack ${node.root}`);
        return found.length > 0 && found;
      });
      process.kill(Number(unpacker?.split(' ')[0]), 'SIGKILL');
      const { code, stderr } = await pulling;
      assert.equal(code, 1);
      assert.match(stderr, /SIGKILL ended it/);
      assert.deepEqual(await readdir(path.join(node.dataDir, 'tmp')), []);
      await assertConsistent(node, files);
      assert.equal((await node.mooring('image', 'prune')).code, 0);
    }
    assert.equal((await node.mooring('pull', name)).code, 0);
    await assertConsistent(node, files);
  }),
);
