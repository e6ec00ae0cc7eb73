import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Declared, DesiredContainer } from '../../../src/reconcile/desired.ts';
import { type Container, containerSchema } from '../../../src/spec/container.ts';
import { containerName } from '../../../src/spec/name.ts';
import type { SpecProblem } from '../../../src/spec/problem.ts';
import { merge, type Merged } from '../../../src/sources/directory/merge.ts';
import type { FileReading, TreeReading } from '../../../src/sources/directory/read-tree.ts';

const always = (): boolean => true;
const never = (): boolean => false;

function declared(name: string, location: string): Declared {
  return { resource: containerOf(name), location };
}

function containerOf(name: string): Container {
  return containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'busybox' } });
}

function before(name: string, location: string): DesiredContainer {
  const container = containerOf(name);
  return { name: containerName(container.metadata), container, origin: { source: 'directory', location }, specHash: 'x', generation: 1 };
}

function tree(files: Record<string, FileReading>, rest: Partial<TreeReading> = {}): TreeReading {
  return { files: new Map(Object.entries(files)), problems: [], complete: true, raced: false, linked: [], ...rest };
}

function documents(path: string, ...names: string[]): FileReading {
  return { kind: 'Documents', warnings: [], declared: names.map((name, index) => declared(name, `${path}:${index * 10 + 1}:1`)) };
}

function rejected(path: string, name?: string): FileReading {
  const problem: SpecProblem = { file: path, at: `${path}:1:1`, field: '', message: 'bad', ...(name === undefined ? {} : { kind: 'Container' as const, name: containerName({ namespace: 'default', name }) }) };
  return { kind: 'Rejected', problems: [problem] };
}

function wanted({ declared: all }: Merged): string[] {
  return all.map(({ resource, location }) => `${resource.metadata.name} ${location}`);
}

test('what the files say is wanted, and what they no longer say is not', () => {
  const merged = merge([before('web', 'a.yaml:1:1'), before('gone', 'a.yaml:9:1')], tree({ 'a.yaml': documents('a.yaml', 'web'), 'b.yaml': documents('b.yaml', 'new') }), always);
  assert.deepEqual(wanted(merged), ['web a.yaml:1:1', 'new b.yaml:1:1']);
  assert.deepEqual([...merged.absent], ['Container default/gone']);
});

test('nothing is removed before it may be, nor from a tree that was not read whole', () => {
  const previous = [before('web', 'a.yaml:1:1')];
  for (const merged of [merge(previous, tree({}), never), merge(previous, tree({}, { complete: false }), always)]) {
    assert.deepEqual(wanted(merged), ['web a.yaml:1:1']);
    assert.deepEqual([...merged.absent], ['Container default/web']);
  }
});

test('a file that says nothing now keeps what it said before, with no part of it changed', () => {
  const previous = [before('web', 'a.yaml:1:1'), before('api', 'a.yaml:9:1')];
  for (const reading of [rejected('a.yaml'), { kind: 'Unsettled' }, { kind: 'Empty' }] as const) {
    const merged = merge(previous, tree({ 'a.yaml': reading }), always);
    assert.deepEqual(wanted(merged), ['web a.yaml:1:1', 'api a.yaml:9:1']);
    assert.equal(merged.absent.size, 0);
  }
});

test('an empty file is a problem only where it said something before', () => {
  assert.equal(merge([before('web', 'a.yaml:1:1')], tree({ 'a.yaml': { kind: 'Empty' } }), always).problems.length, 1);
  assert.equal(merge([], tree({ 'a.yaml': { kind: 'Empty' } }), always).problems.length, 0);
});

test('the holder of a name comes before who claims it too, whatever the order of paths', () => {
  const merged = merge([before('web', 'b.yaml:5:1')], tree({ 'a.yaml': documents('a.yaml', 'web'), 'b.yaml': documents('b.yaml', 'web') }), always);
  assert.deepEqual(wanted(merged), ['web b.yaml:1:1', 'web a.yaml:1:1']);
});

test('a broken holder still comes before a good claimant', () => {
  const merged = merge([before('web', 'b.yaml:5:1')], tree({ 'a.yaml': documents('a.yaml', 'web'), 'b.yaml': rejected('b.yaml') }), always);
  assert.deepEqual(wanted(merged), ['web b.yaml:5:1', 'web a.yaml:1:1']);
});

test('a name moves with its document to another file', () => {
  const merged = merge([before('web', 'a.yaml:1:1')], tree({ 'b.yaml': documents('b.yaml', 'web') }), always);
  assert.deepEqual(wanted(merged), ['web b.yaml:1:1']);
  assert.equal(merged.absent.size, 0);
});

test('a name that a rejected document bears is not removed', () => {
  const merged = merge([before('web', 'a.yaml:1:1')], tree({ 'a.yaml': documents('a.yaml'), 'b.yaml': rejected('b.yaml', 'web') }), always);
  assert.deepEqual(wanted(merged), ['web a.yaml:1:1']);
});
