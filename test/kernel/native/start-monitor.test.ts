import assert from 'node:assert/strict';
import { readdir, readFile, readlink, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadNative } from '../../../src/native/addon.ts';
import { MooringError } from '../../../src/lib/errors.ts';
import { TestBundle } from './bundle.ts';
import { eventually, identityOf, processStat, untilDead } from './support.ts';

const native = loadNative();

test('a container runs, its monitor detached from us, and both are in state.json', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'echo up; exec busybox sleep 300'] });
  const { init, monitor } = await bundle.start(native);

  const container = await processStat(init.pid);
  assert.equal(container?.parent, monitor.pid);
  assert.deepEqual(init, await identityOf(init.pid));
  assert.deepEqual(monitor, await identityOf(monitor.pid));
  await eventually('the container has come to its sleep', async () => (await readFile(`/proc/${init.pid}/cmdline`, 'utf8')) === 'busybox\0sleep\x00300\0' || undefined);
  assert.notEqual(await readlink(`/proc/${init.pid}/ns/mnt`), await readlink('/proc/self/ns/mnt'));
  assert.notEqual(await readlink(`/proc/${init.pid}/ns/pid`), await readlink('/proc/self/ns/pid'));

  assert.equal((await processStat(monitor.pid))?.session, monitor.pid);
  assert.equal(await readlink(`/proc/${monitor.pid}/cwd`), '/');
  assert.equal((await readFile(`/proc/${monitor.pid}/environ`, 'utf8')), '');

  const { startedAt, ...state } = await bundle.state();
  assert.ok(Math.abs(Date.parse(String(startedAt)) - Date.now()) < 60_000);
  assert.deepEqual(state, { ociVersion: '1.2.0', id: bundle.options.id, status: 'running', bundle: bundle.options.bundle, monitor, ...init });
  await assert.rejects(stat(join(bundle.options.bundle, 'exit.json')), { code: 'ENOENT' });
});

test('what the container writes is in the log, and how it ended in exit.json', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'echo one; echo two >&2; echo; printf last; exit 3'] });
  const { startedAt, finishedAt, ...exit } = await bundle.run(native);
  assert.deepEqual(exit, { exitCode: 3, signal: null, oomKilled: false });
  assert.ok(String(startedAt) <= String(finishedAt));
  const entries = await bundle.log();
  const of = (stream: string) => entries.filter((entry) => entry.stream === stream).map(({ tag, text }) => `${tag} ${text}`);
  assert.deepEqual(of('stdout'), ['F one', 'F ', 'F last']);
  assert.deepEqual(of('stderr'), ['F two']);
  assert.deepEqual(await readdir(bundle.options.stateDir), []);
});

test('exit 0, and death by a signal', async (t) => {
  const done = await TestBundle.create(t, { args: ['busybox', 'true'] });
  assert.deepEqual(pick(await done.run(native)), { exitCode: 0, signal: null });

  const killed = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init, monitor } = await killed.start(native);
  process.kill(init.pid, 'SIGKILL');
  await untilDead(monitor.pid);
  assert.deepEqual(pick(await killed.exitRecord()), { exitCode: 137, signal: 9 });
});

test('an OOM kill is recorded', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'x=0123456789; while :; do x=$x$x; done'], memory: 16 << 20 });
  const { exitCode, signal, oomKilled } = await bundle.run(native);
  assert.deepEqual({ exitCode, signal, oomKilled }, { exitCode: 137, signal: 9, oomKilled: true });
});

test('a container that cannot be started leaves nothing, and says why', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['/no/such/program'] });
  await assert.rejects(bundle.start(native), (error: unknown) => {
    assert.ok(error instanceof MooringError);
    assert.match(error.message, new RegExp(`^start container ${bundle.options.id}: .*/no/such/program.*no such file or directory`, 'i'));
    return true;
  });
  assert.deepEqual(await readdir(bundle.options.stateDir), []);
  assert.ok(!(await readdir(bundle.options.bundle)).includes('exit.json'));
  // The lock is free again at once, and the stale record of one run is no other run's.
  await bundle.configure({ args: ['sh', '-c', 'exit 4'] });
  assert.equal((await bundle.run(native))['exitCode'], 4);
  await bundle.configure({ args: ['/no/such/program'] });
  await assert.rejects(bundle.start(native), MooringError);
  assert.ok(!(await readdir(bundle.options.bundle)).includes('exit.json'));
});

test('a bundle is run by one monitor at a time', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  await bundle.start(native);
  await assert.rejects(bundle.start(native), /in use by another monitor/);
  assert.equal((await bundle.state())['status'], 'running');
});

test('a missing runtime, a missing bundle, and one that does not report, are told apart', async (t) => {
  const { options } = await TestBundle.create(t, { args: ['busybox', 'true'] });
  await assert.rejects(native.startMonitor({ ...options, runtime: '/no/runtime' }), (error: unknown) => {
    assert.ok(error instanceof MooringError && error.code === 'Unavailable' && error.cause instanceof Error);
    return /posix_spawn \/no\/runtime: No such file or directory/.test(error.cause.message);
  });
  await assert.rejects(native.startMonitor({ ...options, bundle: '/no/bundle' }), /open the folder \/no\/bundle: No such file or directory/);
  await assert.rejects(native.startMonitor({ ...options, runtime: '/bin/false' }), /ended before it reported: it exited with status 1/);
  await assert.rejects(native.startMonitor({ ...options, runtime: '/bin/echo' }), /ended before it reported: it exited with status 0/);
});

test('no signal but SIGKILL ends a monitor', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init, monitor } = await bundle.start(native);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE', 'SIGUSR1', 'SIGALRM', 'SIGTSTP'] as const) process.kill(monitor.pid, signal);
  // Signals are delivered in order of their numbers before the monitor gets to run on, so a record that it writes now shows that it outlived them.
  process.kill(init.pid, 'SIGTERM');
  process.kill(init.pid, 'SIGKILL');
  await untilDead(monitor.pid);
  assert.deepEqual(pick(await bundle.exitRecord()), { exitCode: 137, signal: 9 });
});

test('the exit status survives the removal of the bundle', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const { init, monitor } = await bundle.start(native);
  const aside = join(bundle.folder, 'aside');
  await rename(bundle.options.bundle, aside);
  await rm(aside, { recursive: true });
  process.kill(init.pid, 'SIGKILL');
  await untilDead(monitor.pid);
  assert.deepEqual(pick(await bundle.exitRecord(bundle.options.stateDir)), { exitCode: 137, signal: 9 });
  await assert.rejects(bundle.state(), { code: 'ENOENT' });
});

test('monitors are reaped, watched or not', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'true'] });
  const { monitor } = await bundle.start(native);
  await eventually('the monitor is no zombie of ours', async () => (await processStat(monitor.pid)) === undefined || undefined);
  await bundle.configure({ args: ['/no/such/program'] });
  await assert.rejects(bundle.start(native), MooringError);
  await eventually('no child is left', async () => ((await children()).length === 0 ? true : undefined));
});

test('with a terminal, the log has what the terminal showed', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'test -t 1 && echo a terminal; exit 5'], terminal: true });
  assert.equal((await bundle.run(native))['exitCode'], 5);
  assert.deepEqual((await bundle.log()).map(({ stream, tag, text }) => [stream, tag, text]), [['stdout', 'F', 'a terminal\r']]);
});

test('a process that outlives init, and writes on, does not hold the monitor', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'busybox yes & echo $! >&2; exit 6'], hostPid: true });
  const { exitCode } = await bundle.run(native);
  assert.equal(exitCode, 6);
  const [entry] = (await bundle.log()).filter(({ stream }) => stream === 'stderr');
  await untilDead(Number(entry?.text)); // of SIGPIPE
});

function pick({ exitCode, signal }: Record<string, unknown>): unknown {
  return { exitCode, signal };
}

async function children(): Promise<string[]> {
  const lists = await Promise.all((await readdir('/proc/self/task')).map((thread) => readFile(`/proc/self/task/${thread}/children`, 'utf8')));
  return lists.join(' ').split(' ').filter((pid) => pid !== '');
}
