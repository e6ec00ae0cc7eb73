import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ContainerName, parseContainerName } from '../../../src/spec/name.ts';
import { circlesIn, circleThrough, describeCircle, longestStop, type OrderChange, precedingOf } from '../../../src/spec/order-graph.ts';
import { container } from '../../support/reconcile-fixtures.ts';

type Graph = Readonly<Record<string, readonly string[]>>;

const named = (names: readonly string[] = []): ContainerName[] => names.map(parseContainerName);
const of = (graph: Graph) => (name: ContainerName) => named(graph[name.slice('default/'.length)]);
const changes = (graph: Graph): OrderChange[] => Object.entries(graph).map(([name, preceding]) => ({ name: parseContainerName(name), preceding: named(preceding) }));

test('what comes before a container is what it depends on and what it shares something with, each once', () => {
  const web = container('web', {
    dependsOn: [{ container: 'db', required: true, restart: false }, { container: 'queue', required: true, restart: false }],
    network: { mode: 'Container', container: 'db' },
    namespaces: { pid: 'Container:proxy', ipc: 'Private', uts: 'Private', cgroup: 'Private' },
  } as never);
  assert.deepEqual(precedingOf(web), ['default/db', 'default/queue', 'default/proxy']);
});

test('a circle is found by its shortest way, and shown', () => {
  const circle = circleThrough(parseContainerName('a'), of({ a: ['x', 'b'], b: ['c'], c: ['x', 'a'], x: [] }));
  assert.deepEqual(circle, ['default/a', 'default/b', 'default/c', 'default/a']);
  assert.match(describeCircle(circle ?? []), /default\/a → default\/b → default\/c → default\/a/);
  assert.deepEqual(circleThrough(parseContainerName('a'), of({ a: ['a'] })), ['default/a', 'default/a']);
  assert.equal(circleThrough(parseContainerName('a'), of({ a: ['b'], b: ['c'], c: ['b'] })), undefined);
});

test('of several changes those that close a circle are refused, the first of them stand', () => {
  assert.deepEqual([...circlesIn(changes({ a: ['b'], b: ['c'], c: ['a'] }), () => []).keys()], ['default/c']);
  assert.deepEqual([...circlesIn(changes({ b: ['a'] }), of({ a: ['b'] })).keys()], ['default/b']);
});

test('two containers that change places are no circle, whichever is told first', () => {
  for (const names of [['a', 'b'], ['b', 'a']]) {
    const swapped = changes({ a: [], b: ['a'] }).toSorted((one, other) => names.indexOf(one.name.slice(-1)) - names.indexOf(other.name.slice(-1)));
    assert.deepEqual([...circlesIn(swapped, of({ a: ['b'], b: [] }))], []);
  }
});

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const anyGraph = fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 })])));
const isFree = (graph: Graph): boolean => NAMES.every((name) => circleThrough(parseContainerName(name), of(graph)) === undefined);

test('whatever changes, what stands afterwards is free of circles, and what is free of circles is taken whole', () => {
  fc.assert(
    fc.property(anyGraph, anyGraph, fc.shuffledSubarray(NAMES), (first, then, changed) => {
      // A state that is free of circles, reached the same way.
      const refusedFirst = circlesIn(changes(first), () => []);
      const before: Graph = Object.fromEntries(NAMES.map((name) => [name, refusedFirst.has(parseContainerName(name)) ? [] : (first[name] ?? [])]));
      assert.ok(isFree(before));
      const wanted: Graph = { ...before, ...Object.fromEntries(changed.map((name) => [name, then[name] ?? []])) };
      const refused = circlesIn(changed.map((name) => ({ name: parseContainerName(name), preceding: named(then[name]) })), of(before));
      const after: Graph = Object.fromEntries(NAMES.map((name) => [name, (refused.has(parseContainerName(name)) ? before : wanted)[name] ?? []]));
      assert.ok(isFree(after));
      if (isFree(wanted)) assert.equal(refused.size, 0);
    }),
    { seed: 7, numRuns: 300 },
  );
});

test('a stop in reverse order takes as long as its longest chain', () => {
  const graces: Readonly<Record<string, number>> = { web: 10, db: 30, cache: 5, lone: 20 };
  const longest = longestStop(named(['web', 'db', 'cache', 'lone']), of({ web: ['db', 'cache'] }), (name) => graces[name.slice('default/'.length)] ?? 0);
  assert.equal(longest, 40);
  assert.equal(longestStop([], () => [], () => 1), 0);
});
