import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MOORING, onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const terminal = fileURLToPath(new URL('../../support/terminal.py', import.meta.url));
const IMAGE = 'mooring.local/busybox:latest';

type Step = readonly ['expect' | 'send', string] | readonly ['until', string, string] | readonly ['size', number, number] | readonly ['signal', number];

async function onTerminal(node: TestNode, steps: readonly Step[], ...args: readonly string[]): Promise<{ output: string; code: number; restored: boolean }> {
  const { stdout } = await promisify(execFile)('python3', [terminal, JSON.stringify(steps), MOORING, '-H', `unix://${node.runDir}/mooring.sock`, ...args]);
  return JSON.parse(stdout) as { output: string; code: number; restored: boolean };
}

function start(node: TestNode, ...args: readonly string[]) {
  const child = spawn(MOORING, ['-H', `unix://${node.runDir}/mooring.sock`, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const seen = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (seen.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (seen.err += chunk.toString()));
  return { child, seen, ended: new Promise<number | null>((resolve) => child.once('close', resolve)) };
}

/** Runs it; fails unless it exits with 0. Gives what it printed. */
async function ok(node: TestNode, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await node.mooring(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

test('run: streams apart, every byte, the exit status, and nothing left with --rm', onNode(async (node) => {
  await node.start();
  const run = (...args: string[]) => node.mooring('run', '--rm', '--network', 'none', ...args);
  assert.deepEqual(await run(IMAGE, 'sh', '-c', 'echo out; echo err >&2; exit 7'), { code: 7, stdout: 'out\n', stderr: 'err\n' });
  assert.equal((await run(IMAGE, 'sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x')).stdout.length, 3_000_000);
  assert.equal((await run(IMAGE, 'no-such-program')).code, 127);
  assert.equal((await run(IMAGE, '/etc')).code, 126);
  assert.equal((await run('--pull', 'never', 'mooring.local/nothing-of-that-name:1', 'true')).code, 125);
  const { child, seen, ended } = start(node, 'run', '-i', '--rm', '--network', 'none', IMAGE, 'wc', '-c');
  child.stdin.end('y'.repeat(1_000_000));
  assert.deepEqual([await ended, seen.out], [0, '1000000\n']);
  // One that could not be started stays, unless it is to be removed.
  assert.equal((await node.mooring('run', '--network', 'none', '--name', 'unstarted', IMAGE, 'no-such-program')).code, 127);
  assert.equal(await ok(node, 'rm', 'unstarted'), 'unstarted');
  // What is to be removed goes once it has ended; what could not be started goes, too.
  await until('nothing is left', async () => (await ok(node, 'ps', '-aq')) === '');
}));

test('run -it: a real terminal, of this size, that is left as it was; its keys detach', onNode(async (node) => {
  await node.start();
  // The terminal's size is told once the container runs, as docker does: a key may overtake it.
  const shell = await onTerminal(node, [['expect', '#'], ['until', '24 80', 'stty size\r'], ['size', 50, 132], ['until', '50 132', 'stty size\r'], ['send', 'exit 11\r']], 'run', '-it', '--rm', '--network', 'none', IMAGE, 'sh');
  assert.deepEqual([shell.code, shell.restored], [11, true]);
  const left = await onTerminal(node, [['expect', '#'], ['send', '\x10\x11']], 'run', '-it', '--name', 'left', '-e', node.mark('left'), '--network', 'none', IMAGE, 'sh');
  assert.deepEqual([left.code, left.restored], [0, true]);
  assert.match(left.output, /detached from left, which runs on/);
  assert.equal((await node.processes('left')).length, 1);
  const back = await onTerminal(node, [['send', '\r'], ['expect', '#'], ['send', 'exit 5\r']], 'attach', 'left');
  assert.deepEqual([back.code, back.restored], [5, true]);
  assert.equal(await ok(node, 'wait', 'left'), '5');
  await ok(node, 'rm', 'left');
}));

test('run without a terminal hands signals on; the third to end means the command itself', onNode(async (node) => {
  await node.start();
  const script = 'trap "echo caught" INT; echo up; while :; do sleep 0.05; done';
  const { child, seen, ended } = start(node, 'run', '--name', 'deaf', '-e', node.mark('deaf'), '--network', 'none', IMAGE, 'sh', '-c', script);
  await until('it is up', () => seen.out.includes('up'));
  for (const times of [1, 2]) {
    child.kill('SIGINT');
    await until(`the container has caught ${times}`, () => seen.out.split('caught').length > times);
  }
  child.kill('SIGINT');
  assert.equal(await ended, 1);
  assert.ok((await node.processes('deaf')).length > 0, 'the container runs on');
  assert.equal(await ok(node, 'rm', '-f', 'deaf'), 'deaf');
  assert.equal((await node.processes('deaf')).length, 0);
}));

test('a container through its life, by name and by ID', onNode(async (node) => {
  await node.start();
  const file = join(node.root, 'id');
  const id = await ok(node, 'run', '-d', '--name', 'web', '--cidfile', file, '-e', node.mark('web'), '--stop-signal', 'SIGKILL', '-m', '64m', '-l', 'a=b', '--network', 'none', IMAGE, 'sh', '-c', 'echo begun; echo aside >&2; exec sleep 1000');
  assert.match(id, /^[0-9a-f]{64}$/);
  assert.equal(await readFile(file, 'utf8'), id);
  assert.match((await node.mooring('run', '--cidfile', file, IMAGE, 'true')).stderr, /is there already/);
  const pid = await node.running('web');
  assert.equal(await ok(node, 'inspect', '-f', '{{.State.Status}} {{.State.Pid}} {{.HostConfig.Memory}} {{index .Config.Labels "a"}}', 'web'), `running ${pid} ${64 * 2 ** 20} b`);
  assert.equal(await ok(node, 'ps', '-q'), id.slice(0, 12));
  assert.equal(await ok(node, 'ps', '--no-trunc', '--format', '{{.ID}} {{.Names}}', '-f', 'label=a=b'), `${id} web`);
  assert.match(await ok(node, 'ps'), /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n[0-9a-f]{12} +mooring\.local\/busybox:latest +"sh -c 'echo begun; …" +.* +Up .* +web$/);
  await until('it has written', async () => (await node.mooring('logs', id)).stderr === 'aside\n');
  assert.deepEqual(await node.mooring('logs', 'web'), { code: 0, stdout: 'begun\n', stderr: 'aside\n' });
  const later = new Date(Date.now() + 3_600_000).toISOString();
  assert.deepEqual(await node.mooring('logs', '-n', '2', '--until', later, 'web'), { code: 0, stdout: 'begun\n', stderr: 'aside\n' });
  assert.equal(await ok(node, 'logs', '--until', '1h', 'web'), '');
  assert.equal(await ok(node, 'exec', id.slice(0, 12), 'sh', '-c', 'echo $0', '--', '-x'), '--');
  assert.match(await ok(node, 'top', 'web'), new RegExp(`^UID +PID.*\nroot +${pid} .* sleep 1000$`));
  assert.match(await ok(node, 'stats', '--no-stream', 'web'), /\n[0-9a-f]{12} +web +\d+\.\d\d% +\S+ \/ 64MiB /);
  assert.match(await ok(node, 'top'), /CPU %[^]*\n[0-9a-f]{12} +web /);
  const live = await onTerminal(node, [['expect', 'CPU %'], ['expect', 'web'], ['expect', 'CPU %'], ['expect', 'web'], ['signal', 2]], 'top');
  assert.deepEqual([live.code, live.restored], [-2, true]);
  await ok(node, 'update', '-m', '100m', 'web');
  assert.equal(await ok(node, 'inspect', '-f', '{{.HostConfig.Memory}}', 'web'), String(100 * 2 ** 20));
  assert.equal(await node.running('web'), pid, 'it was not restarted');
  assert.equal(await ok(node, 'pause', 'web'), 'web');
  assert.match(await ok(node, 'ps', '--format', '{{.Status}}'), /\(Paused\)/);
  await ok(node, 'unpause', 'web');
  await ok(node, 'restart', '-t', '0', 'web');
  const second = await node.running('web', [pid]);
  assert.notEqual(second, pid);
  // What limits do not cover is a new revision, which replaces it: its environment and its mounts.
  await ok(node, 'update', '-e', 'LEVEL=debug', '-v', `${node.root}:/here:ro`, 'web');
  await until('the new one has it', async () => (await ok(node, 'exec', 'web', 'sh', '-c', 'echo $LEVEL; ls /here/id').catch(() => '')) === 'debug\n/here/id');
  assert.match(await ok(node, 'inspect', '-f', '{{.Config.Env}} {{.HostConfig.Binds}} {{.HostConfig.Memory}}', 'web'), new RegExp(`LEVEL=debug.* \\[${node.root}:/here:ro\\] ${100 * 2 ** 20}`));
  const revised = await ok(node, 'inspect', '-f', '{{.Id}}', 'web');
  await ok(node, 'rename', 'web', 'web2');
  assert.equal((await node.mooring('rm', 'web2')).code, 1, 'it runs');
  assert.equal(await ok(node, 'kill', '-s', 'KILL', 'web2'), 'web2');
  assert.equal(await ok(node, 'wait', 'web2'), '137');
  assert.equal(await ok(node, 'ps', '-q'), '');
  assert.equal(await ok(node, 'ps', '-aq', '-f', 'status=exited', '--no-trunc'), revised);
  assert.equal(await ok(node, 'rm', '-v', 'web2'), 'web2');
  assert.deepEqual(await node.mooring('rm', '-f', 'web2'), { code: 0, stdout: '', stderr: 'mooring: No such container: web2\n' });
  assert.equal((await node.mooring('stop', 'web2')).code, 1);
  assert.equal((await node.mooring('inspect', 'web2')).stdout, '[]\n');
}));

test('create, then start: joined, with its input, its output and its exit status', onNode(async (node) => {
  await node.start();
  const id = await ok(node, 'create', '-i', '--name', 'job', '--network', 'none', IMAGE, 'sh', '-c', 'cat; exit 3');
  assert.match(await ok(node, 'ps', '-a', '--format', '{{.State}}'), /^created$/);
  const { child, seen, ended } = start(node, 'start', '-ai', id.slice(0, 12));
  child.stdin.end('to and fro\n');
  assert.deepEqual([await ended, seen.out], [3, 'to and fro\n']);
  assert.equal(await ok(node, 'container', 'ls', '-a', '--format', '{{.Names}} {{.State}}'), 'job exited');
  assert.match(await ok(node, 'container', 'prune', '-f'), new RegExp(`^Deleted Containers:\n${id}\n\nTotal reclaimed space: `));
  assert.equal(await ok(node, 'images', '--format', '{{.Repository}}:{{.Tag}}', IMAGE), IMAGE);
  assert.match(await ok(node, 'info', '-f', '{{.Containers}} {{.OSType}}'), /^0 linux$/);
}));
