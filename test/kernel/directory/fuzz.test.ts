import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../../src/lib/errors.ts';
import { createHarness, eventually, mark, yaml, type Harness } from './harness.ts';

const FOLDERS = ['', 'a', 'a/b', 'a/b/c', 'd', 'd/e'];
const STEPS = 150;

/** A small generator of repeatable random numbers (mulberry32), so that a failure can be run again by its seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One random change of the tree; what the state of the tree forbids is left out. */
async function change(h: Harness, random: () => number, step: number): Promise<void> {
  const pick = (count: number): number => Math.floor(random() * count);
  const folder = FOLDERS[pick(FOLDERS.length)] ?? '';
  const file = join(folder, `f${pick(8)}.yaml`);
  switch (pick(6)) {
    case 0:
    case 1:
      return h.write(file, yaml(`c${step}`, mark(`${step}`)));
    case 2:
      await mkdir(join(h.dir, folder), { recursive: true });
      await writeFile(join(h.dir, folder, '.new'), yaml(`c${step}`, mark(`${step}`)));
      return rename(join(h.dir, folder, '.new'), join(h.dir, file));
    case 3:
      return rm(join(h.dir, file), { force: true });
    case 4:
      if (folder !== '') await rm(join(h.dir, folder), { recursive: true, force: true });
      return;
    default:
      // Not there, or something in the way: then it is left out.
      return rename(join(h.dir, 'a/b'), join(h.dir, `moved${pick(3)}`)).catch((error: unknown) => assert.ok(['ENOENT', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')));
  }
}

async function marks(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = found.filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'));
  const texts = await Promise.all(files.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')));
  return texts.map((text) => /MARK\n +value: "(\d+)"/.exec(text)?.[1] ?? '').toSorted();
}

const seeds = (process.env['MOORING_TEST_SEED'] ?? '1 2 3').split(' ').map(Number);
for (const seed of seeds) {
  test(`whatever happens to the tree, what it says in the end is desired, by events alone (seed ${seed})`, async () => {
    await using h = await createHarness();
    const source = await h.start();
    const random = generator(seed);
    for (let step = 0; step < STEPS; step += 1) {
      await change(h, random, step);
      if (random() < 0.3) await delay(random() * 60);
    }
    const wanted = await marks(h.dir);
    await eventually(() => assert.deepEqual(h.desired.list().map(({ container }) => container.spec.env[0]?.value ?? '').toSorted(), wanted));
    await eventually(() => assert.deepEqual(source.problems(), []));
  });
}
