import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { loadNative } from '../../../src/native/addon.ts';
import { TestBundle } from './bundle.ts';
import { eventually, untilDead } from './support.ts';

const native = loadNative();

test('every change of a container\'s mounts is told until the watch is closed', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init } = await bundle.start(native);
  let changes = 0;
  const watch = native.watchMounts(init.pid, () => (changes += 1));
  assert.ok(watch);
  for (const command of [['mount', '-t', 'tmpfs', 'none', '/tmp'], ['mount', '--bind', '/bin', '/tmp'], ['umount', '/tmp']]) {
    const before = changes;
    await inNamespace(init.pid, ...command);
    await eventually(`${command.join(' ')} is told`, () => changes > before || undefined);
  }

  // Quiet without a change: each of three told at most twice, by a kernel that raises its event once or more for one call.
  assert.ok(changes <= 6, `${changes} changes were told`);

  const settled = changes;
  const second = native.watchMounts(init.pid, () => (changes += 1000));
  watch.close();
  watch.close();
  await inNamespace(init.pid, 'mount', '-t', 'tmpfs', 'none', '/tmp');
  await eventually('the second watch hears', () => changes >= settled + 1000 || undefined);
  assert.equal(changes % 1000, settled);
  second?.close();
});

test('a change on the host is not the container\'s', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const other = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init } = await bundle.start(native);
  const { init: elsewhere } = await other.start(native);
  const told: string[] = [];
  const watches = [native.watchMounts(init.pid, () => told.push('one')), native.watchMounts(elsewhere.pid, () => told.push('other'))];
  await inNamespace(elsewhere.pid, 'mount', '-t', 'tmpfs', 'none', '/tmp');
  await eventually('the other is told', () => told.includes('other') || undefined);
  assert.ok(!told.includes('one'));
  for (const watch of watches) watch?.close();
});

test('a watch lets go of the mount namespace when the process ends', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init, monitor } = await bundle.start(native);
  const before = await mountinfosHeld();
  const watch = native.watchMounts(init.pid, () => {});
  assert.equal(await mountinfosHeld(), before + 1);
  process.kill(init.pid, 'SIGKILL');
  await untilDead(monitor.pid);
  await eventually('the mount table is closed', async () => (await mountinfosHeld()) === before || undefined);
  assert.equal(native.watchMounts(init.pid, assert.fail), undefined);
  watch?.close();
});

test('the mounts of a dead process can\'t be watched', async () => {
  const dead = spawnSync('true').pid;
  assert.equal(native.watchMounts(dead, assert.fail), undefined);
});

/** Runs a command of the container's busybox in its mount namespace. */
async function inNamespace(pid: number, ...command: string[]): Promise<void> {
  await promisify(execFile)('nsenter', ['--target', String(pid), '--mount', '--root', '/bin/busybox', ...command]);
}

async function mountinfosHeld(): Promise<number> {
  const targets = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return targets.filter((target) => target.endsWith('/mountinfo')).length;
}
