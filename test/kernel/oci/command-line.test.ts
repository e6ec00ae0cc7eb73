import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';

import { until } from '../../support/until.ts';
import { cgroupFile } from './engine.ts';
import { Bundle } from './bundle.ts';
import { perform } from './command.ts';

it('create, start, state, kill, delete: the life of a container', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('create', '--pid-file', 'pid', 'c');
  const created = await bundle.state('c');
  assert.deepEqual({ ...created, created: '' }, { ociVersion: '1.2.0', id: 'c', status: 'created', pid: created.pid, bundle: bundle.folder, rootfs: join(bundle.folder, 'rootfs'), created: '', owner: '' });
  assert.equal(await readFile(join(bundle.folder, 'pid'), 'utf8'), String(created.pid));
  assert.match(await readFile(`/proc/${created.pid}/cmdline`, 'utf8'), /mooring-runtime/, 'its program does not run yet');
  await bundle.ask('start', 'c');
  assert.equal((await bundle.state('c')).status, 'running');
  assert.match(await readFile(`/proc/${created.pid}/cmdline`, 'utf8'), /trap/);
  await bundle.ask('kill', 'c', 'TERM');
  await bundle.untilStatus('c', 'stopped');
  assert.equal((await bundle.state('c')).pid, 0);
  await bundle.ask('delete', 'c');
  assert.deepEqual(await bundle.traces(), []);
});

it('run: exit codes, signals, --detach, --keep', async (t) => {
  const bundle = await Bundle.create(t);
  for (const [args, code] of [[['true'], 0], [['sh', '-c', 'exit 3'], 3], [['no-such'], 127], [['/etc'], 126]] as const) {
    bundle.config.process['args'] = args;
    await bundle.write();
    assert.equal((await bundle.runtime(['run', 'c'])).code, code, args.join(' '));
    assert.deepEqual(await bundle.traces(), []);
  }
  bundle.config.process['args'] = ['sh', '-c', 'exit 4'];
  await bundle.write();
  assert.equal((await bundle.runtime(['run', '--keep', 'c'])).code, 4);
  assert.equal((await bundle.state('c')).status, 'stopped');
  await bundle.ask('delete', 'c');
  bundle.config.process['args'] = ['sleep', '100'];
  await bundle.write();
  await bundle.ask('run', '--detach', '--bundle', bundle.folder, 'c');
  assert.equal((await bundle.state('c')).status, 'running');
  await bundle.ask('kill', 'c', 'SIGKILL');
  await bundle.untilStatus('c', 'stopped');
  await bundle.ask('delete', 'c');
});

it('exec: a process of flags or of a file, its folder, user, groups, capabilities and descriptors', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('run', '-d', 'c');
  const flags = ['--cwd', '/tmp', '--user', '1:2', '--additional-gids', '33', '-g', '34', '--env', 'A=b', '-e', 'C=d', '--cap', 'CAP_KILL'];
  const { code, stdout } = await bundle.runtime(['exec', ...flags, 'c', 'sh', '-c', 'pwd; id -u; id -G; echo $A$C; grep CapBnd /proc/self/status; exit 9', '--', '--cwd']);
  assert.deepEqual([code, stdout], [9, '/tmp\n1\n2 33 34\nbd\nCapBnd:\t0000000000000020\n']);

  await writeFile(join(bundle.folder, 'process.json'), JSON.stringify({ user: { uid: 3, gid: 4 }, args: ['sh', '-c', 'id -u; cat <&3'], env: ['PATH=/bin'], cwd: '/' }));
  await writeFile(join(bundle.folder, 'preserved'), 'through\n');
  const descriptor = openSync(join(bundle.folder, 'preserved'), 'r');
  try {
    assert.deepEqual(await bundle.runtime(['exec', '--process', 'process.json', '--preserve-fds', '1', 'c'], { descriptors: [descriptor] }), { code: 0, stdout: '3\nthrough\n', stderr: '' });
  } finally {
    closeSync(descriptor);
  }
  await bundle.ask('exec', '--detach', '--pid-file', 'exec-pid', 'c', 'sleep', '50');
  const pid = await readFile(join(bundle.folder, 'exec-pid'), 'utf8');
  assert.deepEqual(JSON.parse(await bundle.ask('ps', '--format', 'json', 'c')).includes(Number(pid)), true);
  assert.match(await bundle.ask('ps', 'c', '-o', 'pid,args'), new RegExp(`${pid} sleep 50`));
  for (const [command, expected] of [['no-such', 127], ['/etc', 126], ['/etc/passwd', 126]] as const) assert.equal((await bundle.runtime(['exec', 'c', command])).code, expected, command);
  await bundle.ask('delete', '--force', 'c');
});

it('exec --cgroup: into a cgroup below the container\'s own', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).split('\n').filter((line) => line.endsWith(`/${bundle.cgroup}/c`));
  const [number = '', controllers = ''] = (lines.find((line) => line.includes(':pids:')) ?? lines[0] ?? '').split(':');
  const folder = `/sys/fs/cgroup${number === '0' ? '' : `/${controllers}`}/${bundle.cgroup}/c/below`;
  await mkdir(folder);
  const chosen = number === '0' ? 'below' : `${controllers}:below`;
  await bundle.ask('exec', '--detach', '--pid-file', 'exec-pid', '--cgroup', chosen, 'c', 'sleep', '50');
  const added = await readFile(join(bundle.folder, 'exec-pid'), 'utf8');
  assert.equal(await readFile(`${folder}/cgroup.procs`, 'utf8'), `${added}\n`);
  assert.deepEqual(JSON.parse(await bundle.ask('ps', '--format', 'json', 'c')).includes(Number(added)), true);
  await bundle.ask('exec', '--cgroup', '/', 'c', 'true');
  for (const [wanted, expected] of [
    [`${controllers}${number === '0' ? '' : ':'}a/../../..`, /leads out of the container's cgroup/],
    ['whatever:/', /this host has no cgroup controller "whatever" on version 1/],
    [chosen.replace('below', 'nothing'), /nothing.*: No such file or directory/],
  ] as const) {
    const { code, stderr } = await bundle.runtime(['exec', '--cgroup', wanted, 'c', 'true']);
    assert.equal(code, 255);
    assert.match(stderr, expected);
  }
  await bundle.ask('delete', '--force', 'c');
  assert.deepEqual(await bundle.traces(), []);
});

it('ps shows the processes of the container alone, whatever ps is asked for, and none of one that has ended', async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.process['args'] = ['sleep', '100'];
  await bundle.write();
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  for (const flags of [[], ['-e', '-f'], ['-e', '-x'], ['aux'], ['-o', 'pid,args']]) {
    const [title, ...lines] = (await bundle.ask('ps', 'c', ...flags)).split('\n');
    assert.match(title ?? '', /\bPID\b/);
    assert.equal(lines.length, 1, flags.join(' '));
    assert.match(lines[0] ?? '', new RegExp(`\\b${pid}\\b.* sleep 100\\b`));
  }
  assert.match((await bundle.runtime(['ps', 'c', '-o', 'args'])).stderr, /its output has no column PID/);
  await bundle.ask('kill', 'c', 'KILL');
  await bundle.untilStatus('c', 'stopped');
  assert.match(await bundle.ask('ps', 'c'), /^UID +PID [^\n]+$/);
  await bundle.ask('delete', 'c');
});

it('--pidfd-socket hands out the process of create, run and exec', async (t) => {
  const bundle = await Bundle.create(t);
  const socket = join(bundle.folder, 'socket');
  const script = [
    'import os, signal, socket, sys',
    'server = socket.socket(socket.AF_UNIX); server.settimeout(60); server.bind(sys.argv[1]); server.listen(); print("ready", flush=True)',
    'connection = server.accept()[0]; text, handles, _, _ = socket.recv_fds(connection, 100, 1)',
    'os.unlink(sys.argv[1]); signal.pidfd_send_signal(handles[0], signal.SIGKILL); print(text.decode())',
  ].join('\n');
  const killed = async (...words: readonly string[]): Promise<number> => {
    const output = join(bundle.folder, 'heard');
    const receiver = perform('python3', ['-c', script, socket], { output });
    await until('somebody listens', async () => (await readFile(output, 'utf8').catch(() => '')) === 'ready\n');
    const [verb = '', ...rest] = words;
    const { code } = await bundle.runtime([verb, '--pidfd-socket', socket, ...rest]);
    assert.equal((await receiver).code, 0);
    assert.equal(await readFile(output, 'utf8'), 'ready\npidfd\n');
    await rm(output);
    return code;
  };
  await killed('create', 'a');
  await bundle.untilStatus('a', 'stopped');
  await bundle.ask('delete', 'a');
  // It may be killed before it is started, which is an error, and leaves as little.
  assert.ok([137, 1].includes(await killed('run', 'b')));
  assert.notEqual((await bundle.runtime(['state', 'b'])).code, 0);
  await bundle.ask('run', '-d', 'c');
  assert.equal(await killed('exec', 'c', 'sleep', '100'), 137);
  assert.equal((await bundle.state('c')).status, 'running');
  await bundle.ask('delete', '--force', 'c');
});

it('SIGKILL ends all of a container that shares its pid namespace with others, also when its first process is gone', async (t) => {
  const bundle = await Bundle.create(t);
  bundle.config.linux.namespaces = bundle.config.linux.namespaces.filter(({ type }) => type !== 'pid');
  bundle.config.process['args'] = ['sleep', '100'];
  await bundle.write();
  for (const alone of [false, true]) {
    await bundle.ask('run', '-d', 'c');
    await bundle.ask('exec', '-d', '--pid-file', 'exec-pid', 'c', 'sleep', '100');
    const added = Number(await readFile(join(bundle.folder, 'exec-pid'), 'utf8'));
    if (alone) {
      process.kill((await bundle.state('c')).pid, 'SIGKILL');
      await bundle.untilStatus('c', 'stopped');
      assert.equal(await bundle.ask('ps', '--format', 'json', 'c'), `[${added}]`);
    }
    await bundle.ask('kill', 'c', 'KILL');
    assert.equal(await bundle.ask('ps', '--format', 'json', 'c'), '[]');
    assert.match((await bundle.runtime(['kill', 'c', 'KILL'])).stderr, /container not running/);
    await bundle.ask('delete', 'c');
    assert.deepEqual(await bundle.traces(), []);
  }
});

it('a cgroup that is not empty is another\'s, and is left alone', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  const { code, stderr } = await bundle.runtime(['run', 'd']);
  assert.deepEqual([code, stderr], [255, `mooring-runtime: linux.cgroupsPath: /${bundle.cgroup}/c is not empty: process ${pid} is in it; give the container a cgroup of its own\n`]);
  assert.equal((await bundle.state('c')).status, 'running');
  assert.equal(await bundle.ask('list', '--quiet'), 'c');
  await bundle.ask('delete', '--force', 'c');
});

it('pause, resume, update, list, events', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('run', '-d', 'c');
  const { pid } = await bundle.state('c');
  await bundle.ask('pause', 'c');
  assert.equal((await bundle.state('c')).status, 'paused');
  const refused = await bundle.runtime(['exec', 'c', 'true']);
  assert.deepEqual([refused.code, refused.stderr], [255, 'mooring-runtime: cannot exec in a paused container: resume "c" first\n']);
  await bundle.ask('resume', 'c');
  assert.equal((await bundle.state('c')).status, 'running');
  await bundle.ask('exec', '--ignore-paused', 'c', 'true');
  await bundle.ask('update', '--memory', String(64 << 20), '--pids-limit', '33', '--cpu-quota', '20000', 'c');
  assert.equal(await cgroupFile(pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(64 << 20));
  assert.equal(await cgroupFile(pid, 'pids', 'pids.max', 'pids.max'), '33');
  await writeFile(join(bundle.folder, 'resources.json'), JSON.stringify({ memory: { limit: 32 << 20 } }));
  await bundle.ask('update', '--memory', '48MiB', '--memory-reservation', '16m', 'c');
  assert.equal(await cgroupFile(pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(48 << 20));
  await bundle.ask('update', '--resources', 'resources.json', 'c');
  assert.equal(await cgroupFile(pid, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(32 << 20));
  assert.equal(await cgroupFile(pid, 'pids', 'pids.max', 'pids.max'), '33', 'what is not spoken of stays');
  assert.equal(await bundle.ask('list', '--quiet'), 'c');
  assert.match(await bundle.ask('list'), /^ID +PID +STATUS +BUNDLE +CREATED\nc +\d+ +running +/);
  assert.equal(JSON.parse(await bundle.ask('list', '--format', 'json'))[0].id, 'c');
  const stats = JSON.parse(await bundle.ask('events', '--stats', 'c'));
  assert.equal(stats.data.pids.limit, 33);
  assert.ok(stats.data.cpu.usage.total > 0);
  await bundle.ask('delete', '-f', 'c');
  assert.deepEqual(JSON.parse(await bundle.ask('list', '-f', 'json')), []);
});

it('says what is wrong, on stderr and in the log, and exits with 1', async (t) => {
  const bundle = await Bundle.create(t);
  await bundle.ask('create', 'c');
  for (const [words, message] of [
    [[], 'which command?'],
    [['frobnicate'], 'unknown command "frobnicate"'],
    [['create'], 'create: a container id is needed'],
    [['create', 'c'], 'container "c" already exists'],
    [['create', '../c'], 'container id "../c" must be made of letters, digits and _ + - .'],
    [['create', '--frob', 'x'], 'unknown flag --frob'],
    [['create', '--bundle'], 'flag --bundle needs a value'],
    [['create', '--preserve-fds', '-1', 'x'], '--preserve-fds: "-1" is not a number of descriptors'],
    [['create', '--no-pivot', 'x'], 'flag --no-pivot: the runtime always pivots; a container without it can leave its root'],
    [['create', '--console-socket', '/nowhere', 'x'], '--console-socket: process.terminal is not set'],
    [['create', '--bundle', '/nowhere', 'x'], 'open /nowhere/config.json: No such file or directory'],
    [['state', 'x'], 'container "x" does not exist'],
    [['start', 'x'], 'container "x" does not exist'],
    [['kill', 'x'], 'container "x" does not exist'],
    [['kill', 'c', 'FROB'], '"FROB" is no signal'],
    [['kill', 'c', 'RTMIN+99'], '"RTMIN+99" is no signal'],
    [['kill', 'c', 'TERM', 'KILL'], 'kill: "KILL" is one argument too many'],
    [['delete', 'x'], 'container "x" does not exist'],
    [['resume', 'c'], 'container "c" is created and can\'t be resumed'],
    [['update', '--memory', '1x', 'c'], '--memory: "1x" is not a number of bytes, as 1073741824 or 1G'],
    [['update', '--pids-limit', '1k', 'c'], '--pids-limit: "1k" is not a number'],
    [['update', '--kernel-memory', '1', 'c'], 'flag --kernel-memory: the kernel has no limit of its own for kernel memory any more; --memory counts it in'],
    [['--log-format', 'xml', 'list'], 'flag --log-format: "xml" must be text or json'],
  ] as const) {
    const { code, stderr } = await bundle.runtime(words);
    assert.deepEqual([code, stderr.split('\n')[0]], [1, `mooring-runtime: ${message}`]);
  }
  const log = join(bundle.folder, 'log');
  await bundle.runtime(['--log', log, '--log-format', 'json', 'state', 'x']);
  const { time, ...line } = JSON.parse(await readFile(log, 'utf8'));
  assert.deepEqual(line, { level: 'error', msg: 'container "x" does not exist' });
  assert.ok(Date.parse(time) > 0);
  await rm(log);
  await bundle.runtime(['--log', log, '--debug', 'state', 'x']);
  assert.match(await readFile(log, 'utf8'), /^time="[^"]+" level=debug msg="state: begins, version [^"]+"\ntime="[^"]+" level=error msg="container \\"x\\" does not exist"\n$/);
  assert.equal((await bundle.runtime(['delete', '--force', 'x'])).code, 0, 'what is not there need not be removed');
  await bundle.ask('start', 'c');
  assert.equal((await bundle.runtime(['start', 'c'])).stderr, 'mooring-runtime: container "c" is running, only a created one can be started\n');
  assert.equal((await bundle.runtime(['delete', 'c'])).stderr, 'mooring-runtime: container "c" is running, only a stopped one can be deleted (or with --force)\n');
  await bundle.ask('delete', '--force', 'c');
  assert.deepEqual(await readdir(join(bundle.folder, 'states')), []);
});

it('features and spec print what others read', async (t) => {
  const bundle = await Bundle.create(t);
  const features = JSON.parse(await bundle.ask('features'));
  for (const namespace of ['cgroup', 'time', 'user']) assert.ok(features.linux.namespaces.includes(namespace), namespace);
  assert.ok(features.linux.seccomp.actions.includes('SCMP_ACT_NOTIFY') && features.linux.mountExtensions.idmap.enabled);
  assert.ok(features.mountOptions.includes('rro'));
  assert.ok(features.linux.seccomp.archs.includes('SCMP_ARCH_X86_64') && features.linux.seccomp.supportedFlags.includes('SECCOMP_FILTER_FLAG_LOG'));
  assert.deepEqual(features.potentiallyUnsafeConfigAnnotations, ['dev.mooring.']);
  await rm(join(bundle.folder, 'config.json'));
  await bundle.ask('spec');
  const config = JSON.parse(await readFile(join(bundle.folder, 'config.json'), 'utf8'));
  await writeFile(join(bundle.folder, 'config.json'), JSON.stringify({ ...config, process: { ...config.process, terminal: false, args: ['true'] } }));
  assert.equal((await bundle.runtime(['run', 'c'])).code, 0);
  assert.equal((await bundle.runtime(['spec'])).stderr, 'mooring-runtime: ./config.json exists already\n');
  await until('its cgroup is gone', async () => (await bundle.traces()).length === 0);
});
