import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';

import { readIfThere } from '../../support/kernel.ts';
import { RUNTIME } from '../../support/runtime.ts';
import { until } from '../../support/until.ts';
import { Bundle } from './bundle.ts';

it('of many that create, start or delete one container at once, one does', async (t) => {
  const bundle = await Bundle.create(t);
  const atOnce = async (...words: readonly string[]): Promise<{ done: number; complaints: Set<string> }> => {
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => bundle.runtime(words)));
    return { done: outcomes.filter(({ code }) => code === 0).length, complaints: new Set(outcomes.flatMap(({ code, stderr }) => (code === 0 ? [] : [stderr.trimEnd()]))) };
  };
  assert.deepEqual(await atOnce('create', 'c'), { done: 1, complaints: new Set(['mooring-runtime: container "c" already exists']) });
  assert.deepEqual(await atOnce('start', 'c'), { done: 1, complaints: new Set(['mooring-runtime: container "c" is running, only a created one can be started']) });
  assert.equal((await atOnce('state', 'c')).done, 6);
  assert.ok((await atOnce('kill', 'c', 'KILL')).done > 0);
  await bundle.untilStatus('c', 'stopped');
  assert.deepEqual(await atOnce('delete', 'c'), { done: 1, complaints: new Set(['mooring-runtime: container "c" does not exist']) });
  await bundle.ask('run', '-d', 'c');
  assert.equal((await atOnce('delete', '--force', 'c')).done, 6);
  assert.deepEqual(await bundle.traces(), []);
});

it('state, kill and list of a container that comes and goes never say anything else than that it is or is not there', async (t) => {
  const bundle = await Bundle.create(t);
  const over = new AbortController();
  const watch = async (...words: readonly string[]): Promise<void> => {
    while (!over.signal.aborted) {
      const { code, stderr } = await bundle.runtime(words);
      if (code !== 0) assert.match(stderr, /^mooring-runtime: container ("c" does not exist|not running: "c" .*)\n$/, words.join(' '));
    }
  };
  const watchers = [watch('state', 'c'), watch('list'), watch('kill', 'c', '0')];
  for (let i = 0; i < 8; i++) {
    await bundle.ask('run', '-d', 'c');
    await bundle.ask('delete', '--force', 'c');
  }
  over.abort();
  await Promise.all(watchers);
});

it('what a killed create leaves is stopped, and can be deleted', async (t) => {
  const bundle = await Bundle.create(t);
  // The hook holds the creation up, and tells that it has come so far.
  await writeFile(join(bundle.folder, 'hook'), `#!/bin/busybox sh\ntouch ${bundle.folder}/reached\nexec busybox sleep 30\n`, { mode: 0o755 });
  for (const kind of ['createRuntime', 'createContainer']) {
    bundle.config.hooks = { [kind]: [{ path: join(bundle.folder, 'hook'), env: ['PATH=/bin'] }] };
    await bundle.write();
    const create = spawn(RUNTIME, ['--root', join(bundle.folder, 'states'), 'create', 'c'], { cwd: bundle.folder, stdio: 'ignore' });
    await until('the hook runs', () => readFile(join(bundle.folder, 'reached')).then(() => true));
    assert.equal((await bundle.state('c')).status, 'creating');
    assert.equal((await bundle.runtime(['delete', 'c'])).stderr, 'mooring-runtime: container "c" is being created; delete --force ends that\n');
    create.kill('SIGKILL');
    // The hook goes on, and all that waits for it: it is the host's program.
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      if ((await readIfThere(`/proc/${pid}/cmdline`)) === 'busybox\0sleep\x0030\0') process.kill(Number(pid), 'SIGKILL');
    }
    await bundle.untilStatus('c', 'stopped');
    await bundle.ask('delete', 'c');
    assert.deepEqual(await bundle.traces(), [], kind);
    await rm(join(bundle.folder, 'reached'));
  }
});

it('a container outlives the killed run, and is deleted with all that runs in it', async (t) => {
  const bundle = await Bundle.create(t);
  const run = spawn(RUNTIME, ['--root', join(bundle.folder, 'states'), 'run', 'c'], { cwd: bundle.folder, stdio: 'ignore' });
  await bundle.untilStatus('c', 'running');
  await bundle.ask('exec', '-d', 'c', 'sleep', '1000');
  run.kill('SIGKILL');
  await new Promise((resolve) => run.once('exit', resolve));
  assert.equal((await bundle.state('c')).status, 'running');
  await bundle.ask('delete', '--force', 'c');
  assert.deepEqual(await bundle.traces(), []);
});

it('a state that can’t be read, and a folder without one, can be deleted', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('run', '-d', 'c');
  await writeFile(join(bundle.folder, 'states/c/state.json'), '{"pid": ');
  assert.match((await bundle.runtime(['state', 'c'])).stderr, /state\.json is damaged; remove the container with delete --force/);
  await bundle.ask('delete', '--force', 'c');
  assert.deepEqual(await bundle.traces(), []);
});
