import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createHarness, eventually, mark, yaml } from './harness.ts';

/** Replaces a link in one step, as kubelet and git-sync do. */
async function swap(target: string, link: string): Promise<void> {
  await symlink(target, `${link}_tmp`);
  await rename(`${link}_tmp`, link);
}

/** A new content of a ConfigMap volume: the files in a dot folder of their own, `..data` swapped to it, the old one removed. */
async function publish(dir: string, version: string, files: Record<string, string>): Promise<void> {
  const folder = `..2024_${version}`;
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, folder, path)), { recursive: true });
    await writeFile(join(dir, folder, path), text);
  }
  await swap(folder, join(dir, '..data'));
}

test('a ConfigMap volume: contents change with the swap of ..data, and with it only', async () => {
  await using h = await createHarness();
  await publish(h.dir, '1', { 'web.yaml': yaml('web', mark('1')), 'sub/api.yaml': yaml('api', mark('1')) });
  await symlink('..data/web.yaml', join(h.dir, 'web.yaml'));
  await symlink('..data/sub', join(h.dir, 'sub'));
  const source = await h.start();
  assert.deepEqual(h.names(), ['api', 'web']);
  assert.equal(h.location('web'), 'web.yaml:1:1');
  assert.equal(h.location('api'), 'sub/api.yaml:1:1');
  for (let version = 2; version <= 6; version += 1) {
    await publish(h.dir, `${version}`, { 'web.yaml': yaml('web', mark(`${version}`)), 'sub/api.yaml': yaml('api', mark(`${version}`)) });
    await rm(join(h.dir, `..2024_${version - 1}`), { recursive: true });
    await eventually(() => assert.deepEqual([h.env('web'), h.env('api')], [`${version}`, `${version}`]));
  }
  assert.deepEqual(source.problems(), []);
  assert.deepEqual(h.removed, []);
  // Written to in place, which kubelet never does, and people do.
  await writeFile(join(h.dir, '..2024_6/web.yaml'), yaml('web', mark('by hand')));
  await eventually(() => assert.equal(h.env('web'), 'by hand'));
  await unlink(join(h.dir, 'web.yaml'));
  await h.wants('api');
});

test("git-sync: the specs folder is a link that swaps from worktree to worktree", async () => {
  await using h = await createHarness('current');
  const worktree = async (sha: string, files: Record<string, string>): Promise<void> => {
    await mkdir(join(h.base, '.worktrees', sha), { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(h.base, '.worktrees', sha, name), text);
    await swap(`.worktrees/${sha}`, h.dir);
  };
  await worktree('a1', { 'web.yaml': yaml('web', mark('a1')), 'api.yaml': yaml('api') });
  await h.start();
  assert.deepEqual(h.names(), ['api', 'web']);
  await worktree('b2', { 'web.yaml': yaml('web', mark('b2')), 'job.yaml': yaml('job') });
  await rm(join(h.base, '.worktrees/a1'), { recursive: true });
  await h.wants('job', 'web');
  assert.equal(h.env('web'), 'b2');
  await worktree('c3', { 'web.yaml': yaml('web', mark('c3')), 'job.yaml': yaml('job') });
  await eventually(() => assert.equal(h.env('web'), 'c3'));
  await writeFile(join(h.base, '.worktrees/c3/web.yaml'), yaml('web', mark('in place')));
  await eventually(() => assert.equal(h.env('web'), 'in place'));
  assert.deepEqual(h.removed, ['default/api']);
});

test('git-sync: a link further up the path swaps', async () => {
  await using h = await createHarness('current/cluster/node1');
  for (const sha of ['a1', 'b2', 'c3']) {
    await mkdir(join(h.base, sha, 'cluster/node1'), { recursive: true });
    await writeFile(join(h.base, sha, 'cluster/node1/web.yaml'), yaml('web', mark(sha)));
  }
  await swap('a1', join(h.base, 'current'));
  await h.start();
  assert.equal(h.env('web'), 'a1');
  await swap('b2', join(h.base, 'current'));
  await eventually(() => assert.equal(h.env('web'), 'b2'));
  await swap('c3', join(h.base, 'current'));
  await eventually(() => assert.equal(h.env('web'), 'c3'));
  assert.deepEqual(h.removed, []);
});

test('a folder that vanishes changes nothing; one that comes back counts again', async () => {
  await using h = await createHarness();
  await h.write('sub/web.yaml', yaml('web', mark('1')));
  await h.write('api.yaml', yaml('api'));
  const source = await h.start();
  for (let round = 2; round <= 4; round += 1) {
    await rename(h.dir, `${h.dir}-away`);
    await eventually(() => assert.match(source.problems()[0]?.message ?? '', /does not exist/));
    assert.deepEqual(h.names(), ['api', 'web']);
    await rm(`${h.dir}-away`, { recursive: true });
    await h.write('sub/web.yaml', yaml('web', mark(`${round}`)));
    await h.write('api.yaml', yaml('api'));
    await eventually(() => assert.equal(h.env('web'), `${round}`));
    await eventually(() => assert.deepEqual(source.problems(), []));
    await h.write('sub/web.yaml', yaml('web', mark(`${round} edited`)));
    await eventually(() => assert.equal(h.env('web'), `${round} edited`));
  }
  assert.ok(!h.removed.includes('default/web'));
});

test('a folder that is there only later, with its parents, is found', async () => {
  await using h = await createHarness('not/yet/specs');
  const source = await h.start();
  assert.match(source.problems()[0]?.message ?? '', /does not exist/);
  await h.write('web.yaml', yaml('web', mark('1')));
  await h.wants('web');
  await eventually(() => assert.deepEqual(source.problems(), []));
  await h.write('web.yaml', yaml('web', mark('2')));
  await eventually(() => assert.equal(h.env('web'), '2'));
});

test('a file in the place of the folder changes nothing', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web'));
  const source = await h.start();
  await rename(h.dir, `${h.dir}-away`);
  await writeFile(h.dir, yaml('job'));
  await eventually(() => assert.match(source.problems()[0]?.message ?? '', /is no folder/));
  assert.deepEqual(h.names(), ['web']);
  await unlink(h.dir);
  await rename(`${h.dir}-away`, h.dir);
  await h.write('job.yaml', yaml('job'));
  await h.wants('job', 'web');
});

test('what was deleted while nobody looked is removed at the next start', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web'));
  await h.write('job.yaml', yaml('job'));
  const first = await h.start();
  await first.stop();
  await unlink(join(h.dir, 'job.yaml'));
  await h.start();
  assert.deepEqual(h.names(), ['web']);
});

test('a folder whose filesystem is unmounted is not an emptied one', async (t) => {
  await using h = await createHarness();
  mount(['-t', 'tmpfs', 'mooring-test', h.dir]);
  t.after(() => spawnSync('umount', [h.dir]));
  await h.write('web.yaml', yaml('web'));
  const source = await h.start();
  assert.deepEqual(h.names(), ['web']);
  assert.equal(spawnSync('umount', ['-l', h.dir]).status, 0);
  await source.rescan();
  assert.deepEqual(h.names(), ['web']);
  assert.match(source.problems()[0]?.message ?? '', /another filesystem/);
  await h.write('job.yaml', yaml('job'));
  await h.wants('job');
});

test('what no event tells, the rescan finds', async (t) => {
  await using h = await createHarness();
  await h.write('sub/web.yaml', yaml('web', mark('1')));
  await h.start({ rescanIntervalMs: 200 });
  assert.equal(h.env('web'), '1');
  // inotify says nothing of a mount, nor of what is below it.
  mount(['-t', 'tmpfs', 'mooring-test', join(h.dir, 'sub')]);
  t.after(() => spawnSync('umount', [join(h.dir, 'sub')]));
  await h.write('sub/web.yaml', yaml('web', mark('2')));
  await eventually(() => assert.equal(h.env('web'), '2'));
  assert.equal(spawnSync('umount', [join(h.dir, 'sub')]).status, 0);
});

function mount(args: string[]): void {
  const { status, stderr } = spawnSync('mount', args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}
