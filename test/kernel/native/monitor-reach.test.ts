import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, open, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { capabilitiesIn } from '../../../src/engine/containers/capabilities.ts';
import { loadNative } from '../../../src/native/addon.ts';
import type { ProcessIdentity, StartedContainer } from '../../../src/native/native.ts';
import { RUNTIME } from '../../support/runtime.ts';
import { TestBundle, type Settings } from './bundle.ts';
import { eventually, openFiles } from './support.ts';

const native = loadNative();

const kinds: Readonly<Record<string, { readonly settings: Partial<Settings>; readonly streams: readonly string[] }>> = {
  'with pipes': { settings: {}, streams: ['pipe', 'pipe'] },
  'with its input open': { settings: { stdin: 'open' }, streams: ['pipe', 'pipe', 'pipe'] },
  'with a terminal': { settings: { terminal: true }, streams: ['/dev/pts/ptmx', '/dev/pts/ptmx'] },
  'with a terminal and its input open': { settings: { terminal: true, stdin: 'open' }, streams: ['/dev/pts/ptmx', '/dev/pts/ptmx', '/dev/pts/ptmx'] },
};

for (const [kind, { settings, streams }] of Object.entries(kinds)) {
  test(`the monitor of a container ${kind} has its own files open, and nothing else`, async (t) => {
    const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'], ...settings });
    const { init, monitor } = await bundle.start(native);
    await assertOwnFiles(bundle, monitor.pid, streams);
    assert.deepEqual(Object.keys(await openFiles(init.pid)), ['0', '1', '2']);
  });
}

test('what its starter has open, whatever that is, is shut in the monitor, and its container', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  await using folder = await open('/');
  await using file = await open(join(bundle.folder, 'secret'), 'w');
  const { init, monitor } = await startBy([], bundle, [folder.fd, file.fd]);
  await assertOwnFiles(bundle, monitor.pid, ['pipe', 'pipe']);
  assert.deepEqual(Object.keys(await openFiles(init.pid)), ['0', '1', '2']);
});

test('in its pid namespace a container sees no monitor', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', 'busybox cat /proc/[0-9]*/comm; echo $PPID'], capabilities: await hostCapabilities() });
  await bundle.run(native);
  assert.deepEqual((await bundle.log()).map(({ text }) => text), ['sh', '0']);
});

test("CVE-2019-5736: whoever sees a monitor can't write its binary, also when it has ended", async (t) => {
  const mighty = { hostPid: true, capabilities: await hostCapabilities() };
  const seen = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const copy = join(seen.folder, 'runtime'); // that nobody else runs: a running file can't be written anyway
  await copyFile(RUNTIME, copy);
  const before = await hashOf(copy);
  const { init, monitor } = seen.adopt(await native.startMonitor({ ...seen.options, runtime: copy }));

  const script = `exec 3</proc/${monitor.pid}/exe; echo held; while [ -e /proc/${monitor.pid} ]; do busybox sleep 0.05; done; ( : >>/proc/self/fd/3 ) && echo written; echo over`;
  const intruder = await TestBundle.create(t, { args: ['sh', '-c', script], ...mighty });
  await intruder.start(native);
  await eventually('it holds the binary', async () => (await intruder.log()).some(({ text }) => text === 'held') || undefined);
  process.kill(init.pid, 'SIGKILL');
  const log = await eventually('it has tried', async () => {
    const entries = await intruder.log();
    return entries.some(({ text }) => text === 'over') ? entries : undefined;
  });
  assert.deepEqual(log.filter(({ stream }) => stream === 'stdout').map(({ text }) => text), ['held', 'over']);
  assert.match(log.find(({ stream }) => stream === 'stderr')?.text ?? '', /\/proc\/self\/fd\/3: Read-only file system/);
  assert.equal(await hashOf(copy), before);
});

test('a container with all that its monitor may do, but tracing, does not get into its /proc files', async (t) => {
  const capabilities = (await hostCapabilities()).filter((name) => name !== 'CAP_SYS_PTRACE');
  const look = 'for link in exe cwd root fd/0 fd/4 fd/5; do busybox readlink /proc/$PPID/$link; done; ( : </proc/$PPID/mem ) && echo mem; busybox cat /proc/$PPID/comm';
  const bundle = await TestBundle.create(t, { args: ['sh', '-c', look], hostPid: true, capabilities });
  const { monitor } = await startBy(['setpriv', '--bounding-set', '-sys_ptrace'], bundle, []);
  await eventually('the monitor has gone', () => stat(`/proc/${monitor.pid}`).then(() => undefined, () => true));
  assert.deepEqual((await bundle.log()).filter(({ stream }) => stream === 'stdout').map(({ text }) => text), ['mooring-runtime']);
});

/** Fails unless a monitor's descriptors are just these, none of which an execve would pass on, and nothing but its binary, read-only, is mapped. */
async function assertOwnFiles({ folder, options }: TestBundle, pid: number, streams: readonly string[]): Promise<void> {
  const own = ['/dev/null', '/dev/null', '/dev/null', 'anon_inode:[eventpoll]', 'anon_inode:[pidfd]', 'socket', options.bundle, options.stateDir, options.log.path, folder, ...streams].toSorted();
  let files: Record<string, string> = {};
  let found: string[] = [];
  // `started` is heard before the status pipe is closed.
  await eventually('the monitor has just its own open', async () => {
    files = await openFiles(pid);
    found = Object.values(files).map((target) => target.replace(/:\[\d+\]$/, '')).toSorted();
    return found.join() === own.join() || undefined;
  }).catch(() => assert.deepEqual(found, own));

  const binary = await stat(RUNTIME);
  for (const [fd, target] of Object.entries(files)) {
    const flags = Number.parseInt(/^flags:\t(\d+)$/m.exec(await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
    if (Number(fd) > 2) assert.ok((flags & 0o2000000) !== 0, `${fd} (${target}) is not closed by execve`);
    if ([options.bundle, options.stateDir, folder].includes(target)) assert.equal(flags & 0o3, 0, `the folder ${target} is open for writing`);
    const { dev, ino } = await stat(`/proc/${pid}/fd/${fd}`);
    assert.ok(dev !== binary.dev || ino !== binary.ino, `${fd} is the binary`);
  }
  const mapped = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n').flatMap((line) => {
    const [, access = '', , , , file = ''] = line.split(/\s+/);
    return file.startsWith('/') ? [{ file, shared: access.endsWith('s') }] : [];
  });
  const exe = await readlink(`/proc/${pid}/exe`);
  for (const { file, shared } of mapped) assert.deepEqual({ file, shared }, { file: exe, shared: false });
  assert.deepEqual([await readlink(`/proc/${pid}/cwd`), await readlink(`/proc/${pid}/root`)], ['/', '/']);
}

/** Starts a bundle's monitor by a command that runs it, with these descriptors open from 4 on. */
async function startBy(prefix: readonly string[], bundle: TestBundle, inherited: readonly number[]): Promise<StartedContainer> {
  const { id, bundle: path, stateDir, log } = bundle.options;
  const places = ['--id', id, '--bundle', path, '--state-dir', stateDir, '--log', log.path, '--log-max-bytes', '100000', '--log-max-files', '1'];
  const [command, ...words] = [...prefix, RUNTIME, 'monitor', ...places, '--status-fd', '3'];
  const child = spawn(command, words, { detached: true, env: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'ignore', 'inherit', 'pipe', ...inherited] });
  child.unref();
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { monitor, pid, startTime, message } = JSON.parse(line) as ProcessIdentity & { readonly monitor: ProcessIdentity; readonly message?: string };
    assert.equal(message, undefined);
    return bundle.adopt({ monitor, init: { pid, startTime } });
  }
  throw new Error('the monitor said nothing');
}

async function hostCapabilities(): Promise<readonly string[]> {
  return capabilitiesIn(/^CapBnd:\t(.*)$/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '');
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256').update(await readFile(path)).digest('hex');
}
