import assert from 'node:assert/strict';
import { readdir, readFile, readlink } from 'node:fs/promises';
import type { Socket } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';

import type { ContainerId, ExecRequest, ExecResult } from '../../../src/engine/engine.ts';
import { resizeFrame, stdinEndFrame, stdinFrames } from '../../../src/lib/attach-frames.ts';
import { containerName } from '../../../src/spec/name.ts';
import { until } from '../../support/until.ts';
import { Attached } from '../native/attached.ts';
import { containerOf, openNode, type TestNode } from './support.ts';

let node: TestNode;
let id: ContainerId;
let init: number;

before(async () => {
  node = await openNode();
  const container = containerOf('host', { command: ['sh', '-c', 'trap "exit 0" TERM; echo up; read line; echo "$line"; while :; do sleep 1; done'], env: [{ name: 'LEVEL', value: 'info' }], workingDir: '/tmp', stdin: true, resources: { pids: 50 } });
  id = await node.engine.create(container, 'hash');
  await node.engine.start(id);
  const observed = await node.engine.observe(containerName(container.metadata));
  assert.ok(observed?.process.state === 'Running');
  init = observed.process.init.pid;
});

after(() => node.close());

async function started(request: ExecRequest): Promise<{ readonly id: string; readonly client: Attached }> {
  const result = await node.engine.exec(id, request);
  assert.ok('id' in result, JSON.stringify(result));
  return { id: result.id, client: Attached.over((await node.engine.attachExec(id, result.id)) as Socket) };
}

async function run(request: ExecRequest): Promise<{ exitCode: number; out: string; err: string }> {
  const { client } = await started(request);
  const last = await client.ended();
  assert.ok(last?.kind === 'ended', JSON.stringify(client.frames));
  return { exitCode: last.exitCode, out: client.text, err: client.errors };
}

const folders = (): Promise<string[]> => readdir(path.join(node.runDir, 'containers', id, 'exec')).catch(() => []);

test('a process runs beside the first, with its surroundings, and with what is set for it alone', async () => {
  assert.deepEqual(await run({ command: ['sh', '-c', 'echo $LEVEL; pwd; id -u; echo oops >&2; exit 3'] }), { exitCode: 3, out: 'info\n/tmp\n0\n', err: 'oops\n' });
  const { out } = await run({ command: ['sh', '-c', 'echo $LEVEL $HOME; pwd; id -u; id -g'], env: [{ name: 'LEVEL', value: 'debug' }], workingDir: '/', user: '1000:7' });
  assert.equal(out, 'debug /\n/\n1000\n7\n');
});

test('it is in the namespaces and cgroups of the container, and holds nothing open but its streams', async () => {
  const { client } = await started({ command: ['sleep', '1000'] });
  const pid = await until('it is found', async () => {
    for (const entry of await readdir('/proc')) {
      const found = /^[0-9]+$/.test(entry) && Number(entry) !== init && (await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')) === 'sleep\x001000\0';
      if (found && (await readlink(`/proc/${entry}/ns/pid`)) === (await readlink(`/proc/${init}/ns/pid`))) return Number(entry);
    }
    return false;
  });
  for (const kind of ['mnt', 'pid', 'ipc', 'uts', 'net', 'cgroup']) assert.equal(await readlink(`/proc/${pid}/ns/${kind}`), await readlink(`/proc/${init}/ns/${kind}`), kind);
  assert.equal(await readFile(`/proc/${pid}/cgroup`, 'utf8'), await readFile(`/proc/${init}/cgroup`, 'utf8'));
  assert.deepEqual((await readdir(`/proc/${pid}/fd`)).sort(), ['0', '1', '2']);
  process.kill(pid, 'SIGTERM');
  assert.deepEqual(await client.ended(), { kind: 'ended', exitCode: 128 + 15 });
});

test('a program that is not there is 127, one that can not be run 126', async () => {
  const codes = async (command: string[]): Promise<unknown> => {
    const result: ExecResult = await node.engine.exec(id, { command });
    return 'exitCode' in result ? [result.exitCode, result.message.includes(command[0] ?? '')] : result;
  };
  assert.deepEqual(await codes(['no-such-program']), [127, true]);
  assert.deepEqual(await codes(['/no/such/program']), [127, true]);
  assert.deepEqual(await codes(['/etc']), [126, true]);
  assert.deepEqual(await codes(['/etc/passwd']), [126, true]);
  await assert.rejects(node.engine.exec(id, { command: ['id'], user: 'nobody-of-that-name' }), { code: 'Invalid' });
  await until('nothing of them is left', async () => (await folders()).length === 0);
});

test('input passes through to its end, and output waits for a reader', async () => {
  const { client } = await started({ command: ['cat'], stdin: true });
  client.socket.pause();
  const text = 'z'.repeat(20_000_000);
  client.socket.write(stdinFrames(Buffer.from(text)));
  client.socket.write(stdinEndFrame());
  client.socket.resume();
  assert.deepEqual(await client.ended(), { kind: 'ended', exitCode: 0 });
  assert.equal(client.text.length, text.length);
});

test('without input, it reads the end of file', async () => {
  assert.deepEqual(await run({ command: ['cat'] }), { exitCode: 0, out: '', err: '' });
});

test('on a terminal of its own', async () => {
  const { client } = await started({ command: ['sh'], tty: true, stdin: true });
  client.socket.write(resizeFrame(44, 123));
  client.socket.write(stdinFrames(Buffer.from('stty size; tty; test -t 0 && echo "is a tty $TERM"; exit 9\n')));
  assert.deepEqual(await client.ended(), { kind: 'ended', exitCode: 9 });
  assert.match(client.text, /44 123\r\n\/dev\/pts\/\d+\r\nis a tty xterm\r\n/);
});

test('it outlives the daemon, and can be attached to by the next', async () => {
  const first = await started({ command: ['sh', '-c', 'while read line; do echo "got $line"; done'], stdin: true });
  await until('it answers', () => first.client.frames.length > 0);
  await (await node.restart()).adopt();
  const again = Attached.over((await node.engine.attachExec(id, first.id)) as Socket);
  again.socket.write(stdinFrames(Buffer.from('hello\n')));
  await again.seen('got hello\n');
  again.socket.write(stdinEndFrame());
  assert.deepEqual(await again.ended(), { kind: 'ended', exitCode: 0 });
  first.client.socket.destroy();
  await until('its monitor is gone', async () => (await folders()).every((name) => name !== first.id) || (await readdir(path.join(node.runDir, 'containers', id, 'exec', first.id))).join() === 'exit.json');
  await (await node.restart()).adopt();
  assert.deepEqual(await folders(), []);
});

test('attached through the engine, the container takes input; one that has ended has none to take it', async () => {
  const client = Attached.over((await node.engine.attach(id)) as Socket);
  client.socket.write(stdinFrames(Buffer.from('from a client\n')));
  await client.seen('from a client\n');

  const { client: beside } = await started({ command: ['sleep', '1000'] });
  await node.engine.kill(id);
  assert.deepEqual(await client.ended(), { kind: 'ended', exitCode: 137 });
  assert.deepEqual(await beside.ended(), { kind: 'ended', exitCode: 137 });
  const name = containerName({ namespace: 'default', name: 'host' });
  await until('it has ended', async () => (await node.engine.observe(name))?.process.state === 'Exited');
  await assert.rejects(node.engine.attach(id), { code: 'Conflict' });
  await assert.rejects(node.engine.exec(id, { command: ['true'] }), { code: 'Conflict' });
  await assert.rejects(node.engine.attachExec(id, '../../x'), { code: 'NotFound' });
  await until('no monitor is left', async () => (await folders()).length === 0);
});
