import assert from 'node:assert/strict';
import { mkdir, rename, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHarness, eventually, mark, yaml } from './harness.ts';

test('files that were there before the start are taken over at any depth, with every suffix and several documents', async () => {
  await using h = await createHarness();
  await h.write('a.yaml', `${yaml('a1')}---\n${yaml('a2')}`);
  await h.write('sites/b.yml', yaml('b'));
  await h.write('sites/deep/er/c.json', JSON.stringify({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'c' }, spec: { image: 'x' } }));
  await h.start();
  assert.deepEqual(h.names(), ['a1', 'a2', 'b', 'c']);
  assert.match(h.location('a2') ?? '', /^a\.yaml:8:/);
  assert.match(h.location('c') ?? '', /^sites\/deep\/er\/c\.json:1:/);
});

test('added, edited, renamed and deleted files take effect', async () => {
  await using h = await createHarness();
  await h.start();
  await h.write('web.yaml', yaml('web', mark('1')));
  await h.wants('web');
  await h.write('web.yaml', yaml('web', mark('2')));
  await eventually(() => assert.equal(h.env('web'), '2'));
  await rename(join(h.dir, 'web.yaml'), join(h.dir, 'front.yaml'));
  await eventually(() => assert.match(h.location('web') ?? '', /^front\.yaml:/));
  assert.deepEqual(h.removed, [], 'a rename removes nothing');
  assert.equal(h.desired.listSource('directory')[0]?.generation, 2);
  await unlink(join(h.dir, 'front.yaml'));
  await h.wants();
});

test('folders made in one go, moved and removed take effect with what they hold', async () => {
  await using h = await createHarness();
  await h.start();
  await h.write('x/y/z/web.yaml', yaml('web', mark('1')));
  await h.wants('web');
  await h.write('x/y/z/web.yaml', yaml('web', mark('2')));
  await eventually(() => assert.equal(h.env('web'), '2'));
  await rename(join(h.dir, 'x/y'), join(h.dir, 'w'));
  await eventually(() => assert.match(h.location('web') ?? '', /^w\/z\/web\.yaml:/));
  await h.write('w/z/web.yaml', yaml('web', mark('3')));
  await eventually(() => assert.equal(h.env('web'), '3'));
  await rm(join(h.dir, 'w'), { recursive: true });
  await h.wants();
  await h.write('w/z/web.yaml', yaml('web', mark('4')));
  await eventually(() => assert.equal(h.env('web'), '4'));
  await h.write('w/z/web.yaml', yaml('web', mark('5')));
  await eventually(() => assert.equal(h.env('web'), '5'));
});

test("an editor's way of saving neither removes anything nor makes anything of what it leaves behind", async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web', mark('0')));
  await h.start();
  for (let save = 1; save <= 20; save += 1) {
    const path = join(h.dir, 'web.yaml');
    await h.write('.web.yaml.swp', 'b0VIM');
    await h.write('4913', '');
    await unlink(join(h.dir, '4913'));
    if (save % 2 === 0) {
      // vim with backupcopy=no, sed -i: the file is away for a moment.
      await rename(path, `${path}~`);
      await writeFile(path, yaml('web', mark(`${save}`)));
    } else {
      await h.write('.web.yaml.new', yaml('web', mark(`${save}`)));
      await rename(join(h.dir, '.web.yaml.new'), path);
    }
  }
  for (const stray of ['web.yaml-bak', 'web.yaml.bak', '#web.yaml#', '.#web.yaml', '~web.yaml', '.hidden/web.yaml', 'notes.txt']) await h.write(stray, yaml('stray'));
  await eventually(() => assert.equal(h.env('web'), '20'));
  await h.write('last.yaml', yaml('last'));
  await h.wants('last', 'web');
  assert.deepEqual(h.removed, []);
  assert.deepEqual(h.appeared, []);
});

test('removing one document of several removes that one; emptying the folder removes all', async () => {
  await using h = await createHarness();
  await h.write('all.yaml', `${yaml('a')}---\n${yaml('b')}---\n${yaml('c')}`);
  await h.start();
  await h.write('all.yaml', `${yaml('a')}---\n${yaml('c')}`);
  await h.wants('a', 'c');
  assert.equal(h.location('c'), 'all.yaml:8:1');
  await h.write('all.yaml', '# nothing to run today\n');
  await h.wants();
  await h.write('one.yaml', yaml('one'));
  await h.write('two.yaml', yaml('two'));
  await h.wants('one', 'two');
  await Promise.all([unlink(join(h.dir, 'one.yaml')), unlink(join(h.dir, 'two.yaml'))]);
  await h.wants();
});

test('a file that is being written again from nothing removes nothing meanwhile', async () => {
  await using h = await createHarness();
  await h.write('web.yaml', yaml('web', mark('1')));
  const source = await h.start();
  await truncate(join(h.dir, 'web.yaml'));
  await eventually(() => assert.match(source.problems()[0]?.message ?? '', /web\.yaml is empty/));
  assert.deepEqual(h.names(), ['web']);
  await h.write('web.yaml', yaml('web', mark('2')));
  await eventually(() => assert.equal(h.env('web'), '2'));
  await eventually(() => assert.deepEqual(source.problems(), []));
  assert.deepEqual(h.removed, []);
});

test('hundreds of files that change at once, as by git checkout, keep their containers', async () => {
  await using h = await createHarness();
  const count = 300;
  const checkout = async (version: string): Promise<void> => {
    for (let index = 0; index < count; index += 1) {
      const path = join(h.dir, `group${index % 7}`, `c${index}.yaml`);
      await rm(path, { force: true });
      await writeFile(path, yaml(`c${index}`, mark(version)));
    }
  };
  for (let group = 0; group < 7; group += 1) await mkdir(join(h.dir, `group${group}`));
  await checkout('1');
  await h.start();
  assert.equal(h.names().length, count);
  await checkout('2');
  await eventually(() => assert.ok(h.desired.list().every(({ container }) => container.spec.env[0]?.value === '2')));
  assert.deepEqual(h.removed, []);
  assert.deepEqual(h.appeared, []);
  assert.ok(h.desired.list().every(({ generation }) => generation === 2));
});

test('two files that claim one name: the holder stays, the second is reported, and follows once the first lets go', async () => {
  await using h = await createHarness();
  await h.write('b.yaml', yaml('web', mark('b')));
  const source = await h.start();
  await h.write('a.yaml', `${yaml('web', mark('a'))}---\n${yaml('other')}`);
  await h.wants('other', 'web');
  assert.equal(h.env('web'), 'b');
  const [problem] = source.problems();
  assert.equal(problem?.at, 'a.yaml:1:1');
  assert.match(problem?.message ?? '', /b\.yaml:1:1/);
  await unlink(join(h.dir, 'b.yaml'));
  await eventually(() => assert.equal(h.env('web'), 'a'));
  await eventually(() => assert.deepEqual(source.problems(), []));
  assert.deepEqual(h.removed, []);
});

test('a cold start takes the first of two claims by path', async () => {
  await using h = await createHarness();
  await h.write('b.yaml', yaml('web', mark('b')));
  await h.write('a/z.yaml', yaml('web', mark('a')));
  await h.start();
  assert.equal(h.env('web'), 'a');
});
