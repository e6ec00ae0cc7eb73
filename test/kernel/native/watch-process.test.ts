import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { test, type TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadNative } from '../../../src/native/addon.ts';
import { identityOf, untilDead } from './support.ts';

const native = loadNative();
const addonUrl = import.meta.resolve('../../../src/native/addon.ts');

/** A `sleep` that is not Node's to reap: started by a shell that has ended, so that init is its parent. */
function startSleeper(t: TestContext): number {
  const { stdout } = spawnSync('sh', ['-c', 'sleep 300 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' });
  const pid = Number(stdout);
  t.after(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    return untilDead(pid);
  });
  return pid;
}

function isAlive(pid: number): boolean {
  return spawnSync('grep', ['-q', '^State:[[:space:]]*Z', `/proc/${pid}/status`]).status === 1;
}

test('onExit runs once when the process ends, and signal says false from then on', async (t) => {
  const pid = startSleeper(t);
  let exits = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const watch = native.watchProcess(await identityOf(pid), () => {
    exits += 1;
    resolve();
  });
  assert.ok(watch);
  assert.equal(watch.signal(0), true);
  assert.throws(() => watch.signal(1000), { code: 'EINVAL' });
  assert.equal(watch.signal(constants.signals.SIGKILL), true);
  await promise;
  assert.equal(watch.signal(constants.signals.SIGKILL), false);
  watch.close();
  watch.close();
  await new Promise((done) => setImmediate(done));
  assert.equal(exits, 1);
});

test('a pid with another start time is another process', async (t) => {
  const pid = startSleeper(t);
  const { startTime } = await identityOf(pid);
  assert.equal(native.watchProcess({ pid, startTime: startTime - 1 }, assert.fail), undefined);
  process.kill(pid, 'SIGKILL');
  await untilDead(pid);
  assert.equal(native.watchProcess({ pid, startTime }, assert.fail), undefined);
});

test('a closed watch stays silent even when the exit was on its way already', async (t) => {
  const pid = startSleeper(t);
  const identity = await identityOf(pid);
  const { promise, resolve } = Promise.withResolvers<void>();
  const closed = native.watchProcess(identity, () => assert.fail('the closed watch called back'));
  const other = native.watchProcess(identity, resolve);
  assert.ok(closed && other);
  process.kill(pid, 'SIGKILL');
  // This thread does not return to its loop until the process has gone, so the event thread has queued both callbacks.
  while (isAlive(pid));
  closed.close();
  await promise;
  assert.throws(() => closed.signal(0), /closed watch/);
});

test('a callback that throws is an uncaught exception, and the others are still called', () => {
  const program = `
    import { spawnSync } from 'node:child_process';
    import { loadNative } from ${JSON.stringify(addonUrl)};
    const native = loadNative();
    process.on('uncaughtException', (error) => console.log(error.message));
    const pid = Number(spawnSync('sh', ['-c', 'sleep 300 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' }).stdout);
    const [{ text }] = await native.readFiles(['/proc/' + pid + '/stat']);
    const identity = { pid, startTime: Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]) };
    native.watchProcess(identity, () => { throw new Error('thrown'); });
    native.watchProcess(identity, () => console.log('called'));
    process.kill(pid, 'SIGKILL');`;
  // It ends by itself too: nothing is watched any more.
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8', timeout: 20_000 });
  assert.deepEqual(result.stdout.trim().split('\n').sort(), ['called', 'thrown']);
  assert.equal(result.status, 0, result.stderr);
});

test('several environments come and go', async (t) => {
  const pid = startSleeper(t);
  const identity = await identityOf(pid);
  const source = `
    import { loadNative } from ${JSON.stringify(addonUrl)};
    import { parentPort } from 'node:worker_threads';
    const native = loadNative();
    native.watchProcess(${JSON.stringify(identity)}, () => parentPort.postMessage('exit'));
    native.watchMounts(${pid}, () => {});
    await native.readFiles(['/proc/self/stat']);
    parentPort.postMessage('watching');`;
  const workers = Array.from({ length: 4 }, () => new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`)));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const [first, ...others] = workers;
  await first?.terminate(); // in the midst of watching
  // Both are listened for from the start: a worker that has ended has its last messages delivered right before its end is told.
  const exits = others.map(async (worker) => assert.deepEqual(await Promise.all([once(worker, 'message'), once(worker, 'exit')]), [['exit'], [0]])); // nothing watched any more, so it ends by itself
  process.kill(pid, 'SIGKILL');
  await Promise.all(exits);
});

test('a watch keeps Node alive until it is closed', async (t) => {
  const pid = startSleeper(t);
  const program = `
    import { loadNative } from ${JSON.stringify(addonUrl)};
    const watch = loadNative().watchProcess(${JSON.stringify(await identityOf(pid))}, () => {});
    process.on('SIGUSR2', () => { watch.close(); console.log('closed'); });
    console.log('watching');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdout.setEncoding('utf8');
  assert.deepEqual(await once(child.stdout, 'data'), ['watching\n']);
  child.kill('SIGUSR2');
  assert.deepEqual(await once(child.stdout, 'data'), ['closed\n']);
  assert.deepEqual(await exited, [0, null]);
});
