import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertsFolder, parsePlace, planCopy, splitEntry } from '../../../src/cli/copy/copy-plan.ts';

const file = { isFolder: false, name: 'f' };
const folder = { isFolder: true, name: 'd' };
const inside = { isFolder: true, name: '.' };

test('a copy goes where "docker cp" would put it', () => {
  const there = (path: string) => ({ path, exists: true, isFolder: true });
  const taken = (path: string) => ({ path, exists: true, isFolder: false });
  const free = (path: string) => ({ path, exists: false, isFolder: false });
  assert.deepEqual(planCopy(file, there('/to/')), { folder: '/to/', name: 'f' });
  assert.deepEqual(planCopy(folder, there('/to')), { folder: '/to', name: 'd' });
  assert.deepEqual(planCopy(inside, there('/to')), { folder: '/to', name: '.' });
  assert.deepEqual(planCopy(file, taken('/to/old')), { folder: '/to', name: 'old' });
  assert.deepEqual(planCopy(file, free('/to/new')), { folder: '/to', name: 'new' });
  assert.deepEqual(planCopy(folder, free('/to/new/')), { folder: '/to', name: 'new' });
  assert.deepEqual(planCopy(inside, free('/to/new')), { folder: '/to', name: 'new' });
  assert.deepEqual(planCopy(file, free('new')), { folder: '.', name: 'new' });
});

test('a folder never becomes a file, nor a file a folder', () => {
  assert.throws(() => planCopy(folder, { path: '/to/old', exists: true, isFolder: false }), /can't be copied onto/);
  assert.throws(() => planCopy(file, { path: '/to/old/', exists: true, isFolder: false }), /is no folder/);
  assert.throws(() => planCopy(file, { path: '/to/new/', exists: false, isFolder: false }), /there is no folder \/to\/new\//);
});

test('the last name of a path, and what asks for a folder', () => {
  assert.deepEqual(['/a/b', '/a/b/', '/a/b/.', '/', 'b', '.', '/a/./b//'].map((path) => Object.values(splitEntry(path))), [['/a', 'b'], ['/a', 'b'], ['/a/b', '.'], ['/', '.'], ['.', 'b'], ['.', '.'], ['/a', 'b']]);
  assert.deepEqual(['/a/', '/a/.', '.', '..', '/a', '/a.'].map(assertsFolder), [true, true, true, true, false, false]);
});

test('a place is a container’s, this machine’s or a stream', () => {
  assert.deepEqual(parsePlace('web:etc/hosts'), { kind: 'container', container: 'web', path: '/etc/hosts' });
  assert.deepEqual(parsePlace('team/web:/a:b'), { kind: 'container', container: 'team/web', path: '/a:b' });
  for (const local of ['/a:b', './a:b', '../a:b', 'plain', ':odd']) assert.deepEqual(parsePlace(local), { kind: 'local', path: local });
  assert.deepEqual(parsePlace('-'), { kind: 'stream' });
});
