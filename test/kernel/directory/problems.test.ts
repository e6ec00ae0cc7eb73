import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseContainerName } from '../../../src/spec/name.ts';
import { MAX_FILE_BYTES } from '../../../src/sources/directory/read-file.ts';
import { createHarness, declared, eventually, mark, yaml } from './harness.ts';

test('a file that does not parse keeps its last good state, in whole, and says where', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', `${yaml('web', mark('1'))}---\n${yaml('api', mark('1'))}`);
  await h.write('other.yaml', yaml('other', mark('1')));
  const source = await h.start();
  await h.write('web.yaml', `${yaml('web', mark('2'))}---\n${yaml('api', '  imaged: x\n')}`);
  await eventually(() => assert.equal(source.problems().length, 1));
  assert.match(source.problems()[0]?.at ?? '', /^web\.yaml:\d+:\d+$/);
  assert.equal(h.env('web'), '1', 'a file is taken whole or not at all');
  assert.equal(h.env('api'), '1');
  await h.write('other.yaml', yaml('other', mark('2')));
  await eventually(() => assert.equal(h.env('other'), '2'));
  await h.write('web.yaml', '{ junk');
  await eventually(() => assert.notEqual(h.appeared.length, 1));
  assert.deepEqual(h.names(), ['api', 'other', 'web']);
  await h.write('web.yaml', yaml('web', mark('3')));
  await h.wants('other', 'web');
  assert.equal(h.env('web'), '3');
  assert.deepEqual(source.problems(), []);
});

test('a file may not want a container that removes itself', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web', mark('1')));
  const source = await h.start();
  await h.write('web.yaml', yaml('web', `${mark('2')}  autoRemove: true\n`));
  await eventually(() => assert.equal(source.problems().length, 1));
  const [problem] = source.problems();
  assert.deepEqual([problem?.field, problem?.name], ['spec.autoRemove', 'default/web']);
  assert.match(problem?.message ?? '', /only for a container that is made on request/);
  assert.match(problem?.fix ?? '', /restartPolicy Never/);
  assert.equal(h.env('web'), '1', 'its last good state stays');
});

test('each problem is told once, and once that it is gone', async () => {
  await using h = await createHarness();
  const source = await h.start();
  await h.write('web.yaml', yaml('web', '  imaged: x\n'));
  await eventually(() => assert.equal(h.events.length, 1));
  assert.equal(h.events[0]?.reason, 'SpecRejected');
  assert.match(h.events[0]?.message ?? '', /^web\.yaml:\d+:\d+: /);
  await h.write('other.yaml', yaml('other'));
  await h.wants('other');
  await source.rescan();
  assert.equal(h.events.length, 1);
  await h.write('web.yaml', yaml('web'));
  await h.wants('other', 'web');
  await eventually(() => assert.deepEqual(h.events.map(({ reason }) => reason), ['SpecRejected', 'SpecAccepted']));
  assert.equal(h.appeared.length, 1);
});

test('the last good state of a broken file outlives the daemon', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web', mark('1')));
  const first = await h.start();
  await first.stop();
  await h.write('web.yaml', '{ junk');
  const second = await h.start();
  assert.equal(second.problems().length, 1);
  assert.deepEqual(h.names(), ['web']);
  await unlink(join(h.dir, 'web.yaml'));
  await h.wants();
});

test('a document moved into a file that is broken is not lost on the way', async () => {
  await using h = await createHarness();
  await h.write('a.yaml', `${yaml('web')}---\n${yaml('api')}`);
  const source = await h.start();
  await h.write('b.yaml', yaml('api', '  imaged: x\n'));
  await eventually(() => assert.equal(source.problems().length, 1));
  await h.write('a.yaml', yaml('web', mark('2')));
  await eventually(() => assert.equal(h.env('web'), '2'));
  await source.rescan();
  assert.deepEqual(h.names(), ['api', 'web']);
  await h.write('b.yaml', yaml('api', mark('2')));
  await eventually(() => assert.equal(h.env('api'), '2'));
  assert.deepEqual(h.removed, []);
});

test('one name twice in a file rejects the file', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', `${yaml('web')}---\n${yaml('web')}`);
  const source = await h.start();
  assert.deepEqual(h.names(), []);
  assert.match(source.problems().map(({ message }) => message).join(), /web\.yaml:1:1/);
});

test('what is no regular file is reported and never opened', async () => {
  await using h = await createHarness();
  assert.equal(spawnSync('mkfifo', [join(h.dir, 'fifo.yaml')]).status, 0);
  await symlink('/dev/zero', join(h.dir, 'zero.yaml'));
  const server = createServer().listen(join(h.dir, 'socket.yaml'));
  try {
    await h.write('web.yaml', yaml('web'));
    const source = await h.start();
    assert.deepEqual(h.names(), ['web']);
    assert.deepEqual(source.problems().map(({ file }) => file).toSorted(), ['fifo.yaml', 'socket.yaml', 'zero.yaml']);
  } finally {
    server.close();
  }
});

test('a huge file is refused unread', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web'));
  const source = await h.start();
  await h.write('web.yaml', `#${'x'.repeat(MAX_FILE_BYTES)}`);
  await eventually(() => assert.match(source.problems()[0]?.message ?? '', /bytes/));
  assert.deepEqual(h.names(), ['web']);
});

test('links in a circle, to nowhere and out of the tree end; a file is read wherever its link leads', async () => {
  await using h = await createHarness();
  await mkdir(join(h.dir, 'a'));
  await mkdir(join(h.base, 'outside'));
  await writeFile(join(h.base, 'outside/shared.yaml'), yaml('shared', mark('1')));
  await symlink('..', join(h.dir, 'a/up'));
  await symlink('.', join(h.dir, 'self'));
  await symlink('loop.yaml', join(h.dir, 'loop.yaml'));
  await symlink('nowhere.yaml', join(h.dir, 'dangling.yaml'));
  await symlink(join(h.base, 'outside'), join(h.dir, 'folder'));
  await symlink(join(h.base, 'outside/shared.yaml'), join(h.dir, 'shared.yaml'));
  await h.write('a/web.yaml', yaml('web'));
  const source = await h.start();
  assert.deepEqual(h.names(), ['shared', 'web']);
  assert.equal(h.location('web'), 'a/web.yaml:1:1');
  assert.deepEqual(source.problems().map(({ file }) => file).toSorted(), ['dangling.yaml', 'folder', 'loop.yaml']);
  await writeFile(join(h.base, 'outside/shared.yaml'), yaml('shared', mark('2')));
  await eventually(() => assert.equal(h.env('shared'), '2'));
  await unlink(join(h.dir, 'a/web.yaml'));
  await h.wants('shared');
});

test('a link that comes to lead nowhere keeps the last good state of its file', async () => {
  await using h = await createHarness();
  await writeFile(join(h.base, 'shared.yaml'), yaml('shared'));
  await symlink('../shared.yaml', join(h.dir, 'shared.yaml'));
  const source = await h.start();
  await rm(join(h.base, 'shared.yaml'));
  await eventually(() => assert.match(source.problems()[0]?.message ?? '', /leads nowhere/));
  assert.deepEqual(h.names(), ['shared']);
  await writeFile(join(h.base, 'shared.yaml'), yaml('shared', mark('2')));
  await eventually(() => assert.equal(h.env('shared'), '2'));
});

test('a name that another source holds is reported, and taken once it is free', async () => {
  await using h = await createHarness();
  h.desired.apply('api', [declared('web')]);
  await h.write('web.yaml', yaml('web'));
  const source = await h.start();
  assert.equal(source.problems().length, 1);
  assert.deepEqual(h.names(), []);
  h.desired.delete('api', [{ kind: 'Container', name: parseContainerName('web') }]);
  await h.wants('web');
  await eventually(() => assert.deepEqual(source.problems(), []));
});

test('an unreadable file or folder prunes nothing anywhere; what is readable goes on', async () => {
  await using h = await createHarness();
  await h.write('secret/api.yaml', yaml('api'));
  await h.write('web.yaml', yaml('web', mark('1')));
  await h.write('job.yaml', yaml('job'));
  await h.write('private.yaml', yaml('private'));
  const source = await h.start();
  await chmod(h.base, 0o755);
  await chmod(join(h.dir, 'private.yaml'), 0o600);
  for (const mode of [0o700, 0o755]) {
    await chmod(join(h.dir, 'secret'), mode);
    await h.write('web.yaml', yaml('web', mark(`${mode}`)));
    await rm(join(h.dir, 'job.yaml'), { force: true });
    await asNobody(async () => {
      await source.rescan();
      await eventually(() => assert.equal(h.env('web'), `${mode}`));
    });
    const unreadable = mode === 0o700 ? ['private.yaml', 'secret'] : ['private.yaml'];
    assert.deepEqual(source.problems().map(({ file }) => file).toSorted(), unreadable);
    assert.deepEqual(h.names(), ['api', 'job', 'private', 'web']);
  }
  await chmod(join(h.dir, 'private.yaml'), 0o644);
  await h.wants('api', 'private', 'web');
  assert.deepEqual(source.problems(), []);
});

/** Runs an action without root's right to read everything. */
async function asNobody(action: () => Promise<void>): Promise<void> {
  process.seteuid?.(65534);
  try {
    await action();
  } finally {
    process.seteuid?.(0);
  }
}
