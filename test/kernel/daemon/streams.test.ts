import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MOORING, onNode, type TestNode } from '../../support/daemon.ts';
import { until } from '../../support/until.ts';

const terminal = fileURLToPath(new URL('../../support/terminal.py', import.meta.url));

type Step = readonly ['expect' | 'send', string] | readonly ['until', string, string] | readonly ['size', number, number] | readonly ['signal', number];

interface Seen {
  readonly output: string;
  /** Negative: the number of the signal that ended it. */
  readonly code: number;
  /** The terminal is as it was before. */
  readonly restored: boolean;
}

const hostOf = (node: TestNode): string => `unix://${node.runDir}/mooring.sock`;

async function onTerminal(node: TestNode, steps: readonly Step[], ...args: readonly string[]): Promise<Seen> {
  const { stdout } = await promisify(execFile)('python3', [terminal, JSON.stringify(steps), MOORING, '-H', hostOf(node), ...args]);
  return JSON.parse(stdout) as Seen;
}

/** Runs the command with text, and then the end of file, on its standard input. */
async function withInput(node: TestNode, input: string, ...args: readonly string[]): Promise<{ code: number | null; out: string }> {
  const child = spawn(MOORING, ['-H', hostOf(node), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined); // it may have ended without reading all of it
  child.stdin.end(input);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, out: Buffer.concat(chunks).toString() };
}

test('attach: a terminal is joined, sized, detached from, and left as it was', onNode(async (node) => {
  await node.write('shell.yaml', node.container('shell', 'while read -r line; do [ "$line" = bye ] && exit 42; stty size; done', 'tty: true\nstdin: true\nrestartPolicy: Never'));
  await node.start();
  await node.running('shell');

  const first = await onTerminal(node, [['size', 31, 97], ['send', '\r'], ['expect', '31 97'], ['size', 40, 100], ['until', '40 100', '\r'], ['send', '\x10\x11']], 'attach', 'shell');
  assert.deepEqual([first.code, first.restored], [0, true]);
  assert.match(first.output, /detached from shell/);
  assert.equal((await node.processes('shell')).length, 1);

  const killed = await onTerminal(node, [['send', '\r'], ['expect', '24 80'], ['signal', 15]], 'attach', 'shell');
  assert.deepEqual([killed.code, killed.restored], [143, true]);

  const own = await onTerminal(node, [['send', '\r'], ['expect', '24 80'], ['send', '\x10\r'], ['expect', '24 80'], ['send', 'x']], 'attach', '--detach-keys', 'x', 'shell');
  assert.deepEqual([own.code, own.restored], [0, true]);

  const last = await onTerminal(node, [['send', '\x15bye\r']], 'attach', 'shell');
  assert.deepEqual([last.code, last.restored], [42, true]);
  const ended = await node.mooring('attach', 'shell');
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /shell is not running/);
}));

test('attach: input is passed on to its end, and the exit status is the container\'s', onNode(async (node) => {
  await node.write('cat.yaml', node.container('cat', 'cat; exit 7', 'stdin: true\nstdinOnce: true\nrestartPolicy: Never'));
  await node.start();
  await until('the container runs', async () => (await node.processes('cat')).length > 0);
  const text = 'line\n'.repeat(100_000);
  assert.deepEqual(await withInput(node, text, 'attach', 'cat'), { code: 7, out: text });
}));

test('attach --no-stdin --sig-proxy=false only watches', onNode(async (node) => {
  await node.write('clock.yaml', node.container('clock', 'while :; do echo tick; sleep 0.1; done', 'stdin: true\nstdinOnce: true'));
  await node.start();
  await until('the container runs', async () => (await node.processes('clock')).length > 0);
  const seen = await onTerminal(node, [['expect', 'tick'], ['expect', 'tick'], ['signal', 2]], 'attach', '--no-stdin', '--sig-proxy=false', 'clock');
  assert.deepEqual([seen.code, seen.restored], [-2, true]);
  assert.ok((await node.processes('clock')).length > 0);
}));

test('exec: exit codes as a shell has them, streams apart, input and settings', onNode(async (node) => {
  await node.write('host.yaml', node.sleeper('host'));
  await node.start();
  await node.running('host');
  assert.deepEqual(await node.mooring('exec', 'host', '--', 'sh', '-c', 'echo out; echo err >&2; exit 5'), { code: 5, stdout: 'out\n', stderr: 'err\n' });
  assert.equal((await node.mooring('exec', 'host', '--', 'sh', '-c', 'kill -9 $$')).code, 137);
  assert.equal((await node.mooring('exec', 'host', '--', 'nothing-of-that-name')).code, 127);
  assert.equal((await node.mooring('exec', 'host', '--', '/etc')).code, 126);
  const failed = await node.mooring('exec', 'nobody', '--', 'true');
  assert.deepEqual([failed.code, failed.stderr.includes('there is no container default/nobody')], [125, true]);
  assert.equal((await node.mooring('exec', '-e', 'A=b', '-e', 'C=d=e', '-w', '/tmp', '-u', '12:34', 'host', '--', 'sh', '-c', 'echo $A $C $(pwd) $(id -u):$(id -g)')).stdout, 'b d=e /tmp 12:34\n');
  const text = 'y'.repeat(1_000_000);
  assert.deepEqual(await withInput(node, text, 'exec', '-i', 'host', '--', 'wc', '-c'), { code: 0, out: '1000000\n' });
  const large = await withInput(node, '', 'exec', 'host', '--', 'head', '-c', '20000000', '/dev/zero');
  assert.deepEqual([large.code, large.out.length], [0, 20_000_000]);
}));

test('exec -it: a shell on a terminal of its own', onNode(async (node) => {
  await node.write('host.yaml', node.sleeper('host'));
  await node.start();
  await node.running('host');
  const seen = await onTerminal(node, [['expect', '#'], ['send', 'stty size\r'], ['expect', '24 80'], ['size', 50, 132], ['until', '50 132', 'stty size\r'], ['send', 'exit 11\r']], 'exec', '-it', 'host', '--', 'sh');
  assert.deepEqual([seen.code, seen.restored], [11, true]);
  await until('only the first process is left', async () => (await node.processes('host')).length === 1);
}));

test('attach: signals are passed on to a container without a terminal; not with --sig-proxy=false', onNode(async (node) => {
  await node.write('wait.yaml', node.container('wait', 'trap "echo caught; exit 9" USR1; echo up; while :; do sleep 0.05; done', 'restartPolicy: Never'));
  await node.start();
  await node.running('wait');
  const attach = (...flags: string[]) => {
    const child = spawn(MOORING, ['-H', hostOf(node), 'attach', ...flags, 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    return { child, ended: new Promise<{ code: number | null; signal: string | null; out: string }>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, out }))) };
  };
  // Its handlers are there once it has caught the signal: a process's `SigCgt` (proc_pid_status) has a bit for each.
  const catches = (pid: number | undefined, signal: number) =>
    until('the command has its handler', async () => ((BigInt(`0x${/^SigCgt:\s*(\S+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0}`) >> BigInt(signal - 1)) & 1n) === 1n);
  const own = attach('--sig-proxy=false');
  await until('the command runs', async () => (await readFile(`/proc/${own.child.pid}/net/unix`, 'utf8')).includes('attach.sock') || undefined);
  own.child.kill('SIGTERM');
  assert.equal((await own.ended).signal, 'SIGTERM');
  assert.equal((await node.processes('wait')).length > 0, true);

  const proxied = attach();
  await catches(proxied.child.pid, 12); // the last to be taken; 10 is Node's own until then
  proxied.child.kill('SIGUSR1');
  const { code, out } = await proxied.ended;
  assert.deepEqual([code, out], [9, 'caught\n']);
}));

test('exec --detach starts a process and leaves it: it writes on though nobody reads', onNode(async (node) => {
  await node.write('host.yaml', node.container('host', 'while :; do sleep 1; done', ''));
  await node.start();
  await node.running('host');
  const { code, stdout, stderr } = await node.mooring('exec', '-d', 'host', '--', 'sh', '-c', 'seq 1 100000; echo done >/tmp/done');
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
  await until('it is through', async () => (await node.mooring('exec', 'host', '--', 'cat', '/tmp/done')).stdout === 'done\n');
  assert.equal((await node.mooring('exec', '-d', 'host', '--', '/no/program')).code, 127);
}));
