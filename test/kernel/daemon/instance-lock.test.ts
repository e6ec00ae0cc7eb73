import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, readFile, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { lockInstance } from '../../../src/daemon/instance-lock.ts';
import { loadNative } from '../../../src/native/addon.ts';

const native = loadNative();
const instance = (): string => `test-${randomBytes(6).toString('hex')}`;

/** Another process that holds the lock until it is killed. */
async function holder(name: string) {
  const program = `
    import { lockInstance } from ${JSON.stringify(import.meta.resolve('../../../src/daemon/instance-lock.ts'))};
    import { loadNative } from ${JSON.stringify(import.meta.resolve('../../../src/native/addon.ts'))};
    await lockInstance(${JSON.stringify(name)}, loadNative());
    console.log('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

test('an instance is locked by one process at a time, and is free once that has ended, however', async () => {
  const name = instance();
  const child = await holder(name);
  await assert.rejects(lockInstance(name, native), { code: 'Conflict', message: new RegExp(`instance "${name}" runs on this machine already`) });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  const lock = await lockInstance(name, native);
  await assert.rejects(lockInstance(name, native), { code: 'Conflict' });
  await lock[Symbol.asyncDispose]();
  await assert.rejects(access(`/run/mooring-${name}.lock`), { code: 'ENOENT' });
});

test('it is no abstract socket, which a container in the host network could take', async () => {
  const name = instance();
  await using _ = await lockInstance(name, native);
  assert.ok(!(await readFile('/proc/net/unix', 'utf8')).includes(name));
});

test('a file that was removed under its holder locks nobody out for ever', async () => {
  const name = instance();
  const first = await lockInstance(name, native);
  await rm(`/run/mooring-${name}.lock`);
  await using _ = await lockInstance(name, native);
  await first[Symbol.asyncDispose]();
});
