import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { glob, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadNative } from '../../../src/native/addon.ts';
import { RUNTIME } from '../../support/runtime.ts';
import { type Settings, TestBundle } from './bundle.ts';
import { eventually, processStat, untilDead } from './support.ts';

const native = loadNative();

/** A bundle with the namespaces that a sandbox has. */
async function fitting(t: TestContext, settings: Settings): Promise<TestBundle> {
  const bundle = await TestBundle.create(t, settings);
  await rewrite(bundle, (config) => config.linux.namespaces.push({ type: 'cgroup' }));
  return bundle;
}

interface Config {
  linux: { namespaces: { type: string; path?: string }[]; cgroupsPath: string };
}

async function rewrite(bundle: TestBundle, change: (config: Config) => unknown): Promise<void> {
  const file = join(bundle.options.bundle, 'config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as Config;
  change(config);
  await writeFile(file, JSON.stringify(config));
}

const cgroupOf = (bundle: TestBundle): string => `/${bundle.options.id}`;

/** The processes in a cgroup, by hierarchy. */
async function members(cgroup: string): Promise<Map<string, number[]>> {
  const lists = new Map<string, number[]>();
  for await (const file of glob(`/sys/fs/cgroup/{,*}${cgroup}/cgroup.procs`)) {
    const text = await readFile(file, 'utf8').catch(() => '');
    lists.set(file, text.split('\n').filter(Boolean).map(Number));
  }
  return lists;
}

async function onlyMember(cgroup: string): Promise<number> {
  const found = new Set([...(await members(cgroup)).values()].flat());
  assert.equal(found.size, 1, 'one process, the same in every hierarchy');
  return [...found][0] as number;
}

const untilGone = (cgroup: string): Promise<unknown> => eventually(`${cgroup} is gone`, async () => ((await members(cgroup)).size === 0 ? true : undefined));

test('a process made ahead stands in its cgroups and namespaces, and becomes what it is told', async (t) => {
  const bundle = await fitting(t, { args: ['sh', '-c', 'echo pid $$; read line; echo "had $line"; exit 7'], stdin: 'open', memory: 32 << 20 });
  const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
  const standing = await onlyMember(cgroupOf(bundle));
  for (const kind of ['pid', 'net', 'mnt', 'ipc', 'uts']) assert.notEqual(await readlink(`/proc/${standing}/ns/${kind}`), await readlink(`/proc/self/ns/${kind}`), kind);
  const { monitor, init } = bundle.adopt(await native.startMonitor(bundle.options, prepared));
  assert.equal(init.pid, standing);
  assert.equal((await processStat(init.pid))?.parent, monitor.pid);
  assert.notEqual(await readlink(`/proc/${standing}/ns/cgroup`), await readlink('/proc/self/ns/cgroup'));
  const limit = await Array.fromAsync(glob(`/sys/fs/cgroup/{,*}${cgroupOf(bundle)}/memory.{limit_in_bytes,max}`), (file) => readFile(file, 'utf8'));
  assert.deepEqual(limit, [`${32 << 20}\n`]);
  await eventually('it has written', async () => ((await bundle.log()).length > 0 ? true : undefined));
  assert.deepEqual((await bundle.log()).map(({ text }) => text), ['pid 1']);
  process.kill(init.pid, 'SIGKILL');
  await untilDead(monitor.pid);
  assert.equal((await bundle.exitRecord())['exitCode'], 137);
});

test('its end, its log and its exit record are those of any other', async (t) => {
  const bundle = await fitting(t, { args: ['sh', '-c', 'echo out; echo err >&2; exit 3'] });
  const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
  const { monitor } = bundle.adopt(await native.startMonitor(bundle.options, prepared));
  await untilDead(monitor.pid);
  assert.equal((await bundle.exitRecord())['exitCode'], 3);
  assert.deepEqual((await bundle.log()).map(({ stream, text }) => `${stream} ${text}`).toSorted((a, b) => a.localeCompare(b)), ['stderr err', 'stdout out']);
  assert.deepEqual(Object.keys(await bundle.exitRecord()).toSorted((a, b) => a.localeCompare(b)), ['exitCode', 'finishedAt', 'oomKilled', 'signal', 'startedAt']);
  await bundle.configure({ args: ['sh', '-c', 'exit 9'] });
  assert.equal((await bundle.run(native))['exitCode'], 9, 'it can be run again, without one');
});

test('on a terminal', async (t) => {
  const bundle = await fitting(t, { args: ['sh', '-c', 'busybox tty; busybox stty size'], terminal: true });
  const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
  const { monitor } = bundle.adopt(await native.startMonitor(bundle.options, prepared));
  await untilDead(monitor.pid);
  assert.match((await bundle.log()).map(({ text }) => text).join(' '), /^\/dev\/(console|pts\/0)\r? /);
});

test('one that is not wanted ends, and its cgroups with it', async (t) => {
  const bundle = await fitting(t, { args: ['true'] });
  const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
  const standing = await onlyMember(cgroupOf(bundle));
  prepared.dismiss();
  prepared.dismiss();
  await untilDead(standing);
  await untilGone(cgroupOf(bundle));
});

test('kill -9 of the daemon takes those that stand by along', async (t) => {
  const bundle = await fitting(t, { args: ['true'] });
  const program = `
    import { loadNative } from ${JSON.stringify(import.meta.resolve('../../../src/native/addon.ts'))};
    await loadNative().prepareMonitor(${JSON.stringify({ runtime: RUNTIME, cgroup: cgroupOf(bundle) })});
    console.log('stands');`;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(daemon.stdout, 'data');
  const standing = await onlyMember(cgroupOf(bundle));
  const exited = once(daemon, 'exit');
  daemon.kill('SIGKILL');
  await exited;
  await untilDead(standing);
  await untilGone(cgroupOf(bundle));
});

test('a bundle that does not fit is refused in words, and nothing is left of the sandbox', async (t) => {
  for (const [change, words] of [
    [(config: Config) => config.linux.namespaces.pop(), /linux\.namespaces: not those of a sandbox/],
    [(config: Config) => (config.linux.cgroupsPath = '/elsewhere'), /linux\.cgroupsPath: the sandbox is in/],
    [(config: Config) => config.linux.namespaces.splice(1, 1, { type: 'ipc', path: '/proc/self/ns/ipc' }), /\/proc\/self\/ns\/ipc can't be joined from a sandbox/],
  ] as const) {
    const bundle = await fitting(t, { args: ['true'] });
    await rewrite(bundle, change);
    const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
    const standing = await onlyMember(cgroupOf(bundle));
    await assert.rejects(native.startMonitor(bundle.options, prepared), words);
    await untilDead(standing);
  }
});

test('what can not be run is told as ever', async (t) => {
  const bundle = await fitting(t, { args: ['nothing-of-that-name'] });
  const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
  await assert.rejects(native.startMonitor(bundle.options, prepared), /exec: "nothing-of-that-name": executable file not found/);
});

test('where the one that stood by was killed, the start goes the long way', async (t) => {
  const bundle = await fitting(t, { args: ['sh', '-c', 'exit 5'] });
  const prepared = await native.prepareMonitor({ runtime: RUNTIME, cgroup: cgroupOf(bundle) });
  const standing = await onlyMember(cgroupOf(bundle));
  const monitor = (await processStat(standing))?.parent ?? assert.fail();
  process.kill(monitor, 'SIGKILL');
  await untilDead(standing);
  await eventually('the daemon has heard of it', async () => ((await processStat(monitor)) === undefined ? true : undefined));
  const started = bundle.adopt(await native.startMonitor(bundle.options, prepared));
  await untilDead(started.monitor.pid);
  assert.equal((await bundle.exitRecord())['exitCode'], 5);
});
