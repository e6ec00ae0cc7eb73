import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { loadNative } from '../../../src/native/addon.ts';
import type { StartedContainer } from '../../../src/native/native.ts';
import { TestBundle } from './bundle.ts';
import { eventually, identityOf, processStat, untilDead } from './support.ts';

const native = loadNative();

test('kill -9 of the daemon: container and monitor go on, can be watched by the next, and their end is recorded', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'i=0; while :; do echo $i; i=$((i+1)); busybox usleep 5000; done'] });
  const program = `
    import { loadNative } from ${JSON.stringify(import.meta.resolve('../../../src/native/addon.ts'))};
    const native = loadNative();
    const started = await native.startMonitor(${JSON.stringify(bundle.options)});
    native.watchProcess(started.monitor, () => {});
    native.watchMounts(started.init.pid, () => {});
    console.log(JSON.stringify(started));`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  daemon.stdout.setEncoding('utf8');
  const [line] = (await once(daemon.stdout, 'data')) as [string];
  const { init, monitor } = bundle.adopt(JSON.parse(line) as StartedContainer);
  assert.equal((await processStat(monitor.pid))?.parent, daemon.pid);
  const exited = once(daemon, 'exit');
  process.kill(-(daemon.pid ?? assert.fail()), 'SIGKILL'); // its whole process group, as a terminal's Ctrl-C would reach it
  await exited;

  const written = (await bundle.log()).length;
  await eventually('the log goes on', async () => (await bundle.log()).length > written + 2 || undefined);
  assert.deepEqual(await identityOf(init.pid), init);
  assert.deepEqual(await identityOf(monitor.pid), monitor);
  assert.deepEqual((await bundle.state())['monitor'], monitor);

  const end = new Promise<void>((resolve) => assert.ok(native.watchProcess(monitor, resolve)));
  process.kill(init.pid, 'SIGKILL');
  await end;
  assert.equal((await bundle.exitRecord())['exitCode'], 137);
  await assert.rejects(bundle.state(), { code: 'ENOENT' });
});

test('kill -9 of the monitor: the container dies with it, state.json names a dead one, nothing claims an exit, and the next run finds nothing in its way', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init, monitor } = await bundle.start(native);
  process.kill(monitor.pid, 'SIGKILL');
  await untilDead(monitor.pid);
  assert.deepEqual({ ...(await bundle.state()), startedAt: '' }, { ...(await bundle.state()), status: 'running', monitor, ...init, startedAt: '' });
  await assert.rejects(bundle.exitRecord(), { code: 'ENOENT' });

  await untilDead(init.pid);
  await bundle.configure({ args: ['sh', '-c', 'exit 9'] });
  assert.equal((await bundle.run(native))['exitCode'], 9);
});

test('a waiting monitor is small', async (t) => {
  const bundles = await Promise.all(Array.from({ length: 4 }, () => TestBundle.create(t, { args: ['sh', '-c', 'echo x; exec busybox sleep 300'] })));
  const monitors = (await Promise.all(bundles.map((bundle) => bundle.start(native)))).map(({ monitor }) => monitor.pid);
  // Its memory is given back when it has been quiet for a while. The program itself is in memory once, however many run it.
  await eventually('no monitor has 100 kB for itself', async () => (await Promise.all(monitors.map(privateOf))).every((own) => own < 100) || undefined);
});

/** What of its memory no other process has, in kB (proc_pid_smaps_rollup(5)). */
async function privateOf(pid: number): Promise<number> {
  const found = (await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')).matchAll(/^Private_\w+:\s+(\d+) kB$/gm);
  return [...found].reduce((sum, [, size]) => sum + Number(size), 0);
}
