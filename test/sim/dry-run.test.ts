import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { SimulatedNode } from './simulated-node.ts';

/** The result of something that takes simulated time. */
async function within<T>(node: SimulatedNode, work: Promise<T>): Promise<T> {
  await node.clock.advance(100);
  return work;
}

async function nodeWith(...names: string[]): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(...names.map((name) => container(name)));
  node.startDaemon();
  assert.ok(await node.settle());
  return node;
}

test('a dry run says what would be done, prune included, and does nothing', async () => {
  const node = await nodeWith('same', 'changed', 'dropped');
  const facts = [...node.facts.entries()];
  const calls = node.engine.calls.filter(({ operation }) => operation !== 'observe').length;
  const documents = [container('same'), container('changed', { image: 'mooring.local/busybox:2' }), container('new')];
  const planned = await within(node, node.reconciler.plan(documents, { prune: true }));
  assert.deepEqual(
    planned.map(({ name, action }) => [name, action]),
    [
      ['default/same', 'None'],
      ['default/changed', 'Recreate'],
      ['default/new', 'Create'],
      ['default/dropped', 'Remove'],
    ],
  );
  const kept = await within(node, node.reconciler.plan(documents, { prune: false }));
  assert.equal(kept.length, 3);
  assert.equal(node.engine.calls.filter(({ operation }) => operation !== 'observe').length, calls);
  assert.deepEqual([...node.facts.entries()], facts);
  assert.deepEqual(node.reconciler.views().map(({ name }) => name).toSorted(), ['default/changed', 'default/dropped', 'default/same']);
});

test('what was planned is what is then done', async () => {
  const node = await nodeWith('web');
  const document = container('web', { image: 'mooring.local/busybox:2' });
  const [planned] = await within(node, node.reconciler.plan([document], { prune: false }));
  const before = node.engine.calls.length;
  node.apply(document);
  assert.ok(await node.settle());
  const done = node.engine.calls.slice(before).flatMap(({ operation }) => (operation === 'observe' ? [] : [operation]));
  assert.deepEqual(
    planned?.steps.map(({ kind }) => kind.toLowerCase()),
    done,
  );
});

test('an explanation says what is wanted, what is there and what comes next', async () => {
  const node = await nodeWith('web');
  const web = parseContainerName('web');
  const explanation = await within(node, node.reconciler.explain(web));
  assert.match(explanation.desired, /busybox:latest, running, restartPolicy Always; generation 1 from source directory/);
  assert.match(explanation.observed, /running as pid \d+/);
  assert.deepEqual([explanation.next.kind, explanation.machineState], ['Settled', 'settled']);
  const rejected = assert.rejects(node.reconciler.explain(parseContainerName('nobody')), { code: 'NotFound' });
  await node.clock.advance(100);
  await rejected;
});
