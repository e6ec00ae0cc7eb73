import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { resizeFrame, stdinEndFrame, stdinFrames } from '../../../src/lib/attach-frames.ts';
import { loadNative } from '../../../src/native/addon.ts';
import { Attached, connectTo } from './attached.ts';
import { type Settings, TestBundle } from './bundle.ts';
import { eventually, processStat, untilDead } from './support.ts';

const native = loadNative();

async function started(t: TestContext, settings: Settings): Promise<TestBundle & { monitor: number; init: number }> {
  const bundle = await TestBundle.create(t, settings);
  const { monitor, init } = await bundle.start(native);
  return Object.assign(bundle, { monitor: monitor.pid, init: init.pid });
}

const send = (client: Attached, text: string): boolean => client.socket.write(stdinFrames(Buffer.from(text)));

test('several clients see both streams, each by its name, write in turn, and hear of the end', async (t) => {
  const bundle = await started(t, { args: ['sh', '-c', 'while read line; do echo "out $line"; echo "err $line" >&2; [ "$line" = last ] && exit 7; done'], stdin: 'open' });
  const one = await Attached.to(bundle.options.stateDir);
  const two = await Attached.to(bundle.options.stateDir);
  assert.deepEqual(one.frames, [{ kind: 'welcome', terminal: false, stdin: true }]);
  send(one, 'first\n');
  await two.seen('out first\n');
  send(two, 'last\n');
  for (const client of [one, two]) {
    assert.deepEqual(await client.ended(), { kind: 'ended', exitCode: 7 });
    assert.equal(client.text, 'out first\nout last\n');
    assert.equal(client.errors, 'err first\nerr last\n');
  }
  await untilDead(bundle.monitor);
  assert.deepEqual((await bundle.log()).filter(({ stream }) => stream === 'stdout').map(({ text }) => text), ['out first', 'out last']);
  assert.deepEqual(await readdir(bundle.options.stateDir), []);
});

test('a client that still writes when the container has ended loses nothing of what it has yet to read', async (t) => {
  const bundle = await started(t, { args: ['sh', '-c', 'read line; echo "had $line"; exit 7'], stdin: 'open' });
  const socket = await connectTo(bundle.options.stateDir);
  socket.write(stdinFrames(Buffer.from('input\n')));
  await eventually('the end is on record', async () => ((await readdir(bundle.options.stateDir)).includes('state.json') ? undefined : true));
  await new Promise((resolve, reject) => socket.write(stdinFrames(Buffer.from('too late\n')), (error) => (error ? reject(error) : resolve(undefined))));
  const late = Attached.over(socket);
  assert.deepEqual(await late.ended(), { kind: 'ended', exitCode: 7 });
  assert.equal(late.text, 'had input\n');
  await untilDead(bundle.monitor);
});

test('the socket is for its owner alone, and its path may be longer than an address holds', async (t) => {
  const bundle = await TestBundle.create(t, { args: ['busybox', 'sleep', '300'] });
  const stateDir = join(bundle.folder, 'x'.repeat(200));
  await mkdir(stateDir);
  const { init } = bundle.adopt(await native.startMonitor({ ...bundle.options, stateDir }));
  assert.equal((await stat(join(stateDir, 'attach.sock'))).mode & 0o777, 0o600);
  assert.deepEqual((await Attached.to(stateDir)).frames, [{ kind: 'welcome', terminal: false, stdin: false }]);
  assert.deepEqual((await readdir(`/proc/${init.pid}/fd`)).sort(), ['0', '1', '2']);
});

test('input ends with the one client that writes, where it is to be given once', async (t) => {
  for (const end of [(client: Attached) => client.socket.write(stdinEndFrame()), (client: Attached) => client.socket.destroy()]) {
    const bundle = await started(t, { args: ['busybox', 'cat'], stdin: 'once' });
    const watcher = await Attached.to(bundle.options.stateDir);
    const writer = await Attached.to(bundle.options.stateDir);
    const text = 'x'.repeat(300_000);
    send(writer, text);
    await eventually('all of it is through', () => watcher.text.length === text.length || undefined);
    end(writer);
    assert.deepEqual(await watcher.ended(), { kind: 'ended', exitCode: 0 });
    assert.equal(watcher.text, text);
  }
});

test('input that stays open outlives the clients that wrote', async (t) => {
  const bundle = await started(t, { args: ['busybox', 'cat'], stdin: 'open' });
  const first = await Attached.to(bundle.options.stateDir);
  send(first, 'one\n');
  await first.seen('one\n');
  first.socket.write(stdinEndFrame());
  first.socket.end();
  await first.ended();
  const second = await Attached.to(bundle.options.stateDir);
  send(second, 'two\n');
  await second.seen('two\n');
  assert.equal(second.text, 'two\n'); // what was written before is not replayed
});

test('more input than the process takes waits, and holds nobody up', async (t) => {
  const bundle = await started(t, { args: ['sh', '-c', 'until [ -e /tmp/go ]; do busybox sleep 0.05; done; busybox cat >/tmp/got; busybox wc -c </tmp/got'], stdin: 'once' });
  const client = await Attached.to(bundle.options.stateDir);
  send(client, 'y'.repeat(2_000_000));
  client.socket.write(stdinEndFrame());
  const other = await Attached.to(bundle.options.stateDir);
  assert.equal(other.frames.length, 1);
  await eventually('the process may go on', () => rename(bundle.options.log.path, join(bundle.options.bundle, 'rootfs/tmp/go')).then(() => true));
  await other.seen('2000000\n');
});

test('a terminal is shown as it is, sized by a client, and left by it as it was', async (t) => {
  const bundle = await started(t, { args: ['sh', '-c', 'while read line; do busybox stty size; done; echo gone'], terminal: true, stdin: 'once' });
  const client = await Attached.to(bundle.options.stateDir);
  assert.deepEqual(client.frames, [{ kind: 'welcome', terminal: true, stdin: true }]);
  client.socket.write(resizeFrame(33, 111));
  send(client, '\n');
  await client.seen('33 111\r\n');
  client.socket.destroy();
  const again = await Attached.to(bundle.options.stateDir);
  again.socket.write(resizeFrame(5, 6));
  send(again, '\n');
  await again.seen('5 6\r\n');
  again.socket.write(stdinEndFrame());
  await again.seen('gone\r\n');
  assert.deepEqual(await again.ended(), { kind: 'ended', exitCode: 0 });
});

test('detaching has no effect on the container', async (t) => {
  const bundle = await started(t, { args: ['sh', '-c', 'while :; do echo line; busybox sleep 0.01; done'] });
  const client = await Attached.to(bundle.options.stateDir);
  await client.seen('line\nline\n');
  client.socket.destroy();
  const before = (await bundle.log()).length;
  await eventually('it writes on', async () => (await bundle.log()).length > before + 5 || undefined);
  assert.notEqual((await processStat(bundle.init))?.state, 'Z');
});

test('a client that does not read is dropped and told so; the log has every line', async (t) => {
  const lines = 2_000_000;
  const bundle = await started(t, { args: ['sh', '-c', `until [ -e /tmp/go ]; do busybox sleep 0.05; done; busybox seq 1 ${lines}`], maxBytes: 1 << 30 });
  const slow = await connectTo(bundle.options.stateDir);
  slow.pause();
  await mkdir(join(bundle.options.bundle, 'rootfs/tmp/go'));
  await untilDead(bundle.monitor);
  const text = await readFile(bundle.options.log.path, 'utf8');
  let next = 1;
  for (const line of text.split('\n').slice(0, -1)) assert.equal(line.slice(line.indexOf(' F ') + 3), String(next++));
  assert.equal(next, lines + 1);

  const client = Attached.over(slow);
  assert.deepEqual(await client.ended(), { kind: 'dropped' });
  const seen = client.text;
  assert.ok(seen.length > 1_000_000 && seen.length < 16_000_000, `${seen.length} bytes were kept`);
  assert.ok(seen.startsWith('1\n2\n3\n'));
});

test('clients that are announced see all from the first byte on, however late they come and slowly they read', async (t) => {
  const lines = 1_000_000;
  const bundle = await started(t, { args: ['sh', '-c', `echo early; busybox seq 1 ${lines}; echo last >&2; exit 5`], maxBytes: 1 << 30, clients: 2 });
  const slow = await connectTo(bundle.options.stateDir);
  slow.pause();
  assert.equal(await readFile(bundle.options.log.path, 'utf8'), '', 'nothing is read before all are there');
  const quick = await Attached.to(bundle.options.stateDir);
  await quick.seen('early\n1\n2\n');
  assert.equal(quick.last?.kind, 'stdout');
  const late = Attached.over(slow);
  const whole = `early\n${Array.from({ length: lines }, (_, index) => `${index + 1}\n`).join('')}`;
  for (const client of [quick, late]) {
    assert.deepEqual(await client.ended(), { kind: 'ended', exitCode: 5 });
    assert.ok(client.text === whole, `${client.text.length} bytes of ${whole.length} were seen`);
    assert.equal(client.errors, 'last\n');
  }
  await untilDead(bundle.monitor);
});

test('a client that speaks another language is hung up on, and the others notice nothing', async (t) => {
  const bundle = await started(t, { args: ['busybox', 'cat'], stdin: 'open' });
  const good = await Attached.to(bundle.options.stateDir);
  const bad = await Attached.to(bundle.options.stateDir);
  bad.socket.write('GET / HTTP/1.1\r\n\r\n');
  await bad.ended();
  send(good, 'well\n');
  await good.seen('well\n');
});

test('no more than sixteen clients are served at a time', async (t) => {
  const bundle = await started(t, { args: ['busybox', 'sleep', '300'] });
  const clients = await Promise.all(Array.from({ length: 16 }, () => Attached.to(bundle.options.stateDir)));
  const late = Attached.over(await connectTo(bundle.options.stateDir));
  await late.ended();
  assert.deepEqual(late.frames, []);
  clients[0]?.socket.destroy();
  await eventually('there is a place again', async () => {
    const next = Attached.over(await connectTo(bundle.options.stateDir));
    const welcome = await eventually('an answer', () => next.frames[0] ?? (next.socket.destroyed || next.socket.readableEnded ? 'none' : undefined));
    next.socket.destroy();
    return welcome !== 'none' || undefined;
  });
  for (const { socket } of clients) socket.destroy();
});
