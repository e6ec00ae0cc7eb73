import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MooringError } from '../../src/lib/errors.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import type { Operation } from './simulated-engine.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const stuck = parseContainerName('stuck');
const others = Array.from({ length: 60 }, (_, index) => parseContainerName(`c${index}`));

for (const operation of ['observe', 'create', 'start'] satisfies Operation[]) {
  test(`an engine that hangs in ${operation} of one container holds up no other, and the container is looked after once it comes back`, async () => {
    const node = new SimulatedNode();
    const release = Promise.withResolvers<void>();
    let hangs = true;
    node.engine.fault = (called, name) => (hangs && called === operation && name === stuck ? { kind: 'hang', until: release.promise } : undefined);
    node.apply(container('stuck'), ...others.map((name) => container(name.slice('default/'.length))));
    node.startDaemon();
    await node.clock.advance(SECOND);
    assert.ok(others.every((name) => node.engine.peek(name)?.process.state === 'Running'));

    await node.clock.advance(10 * MINUTE);
    const stalled = node.reconciler.view(stuck)?.status.conditions.find(({ type }) => type === 'Stalled');
    assert.notEqual(stalled?.status, 'False');
    assert.match(stalled?.message ?? '', new RegExp(`${operation}.*(has not come back|under way since)`));
    if (operation !== 'observe') assert.equal(node.callsOf(operation, stuck).length, 1, 'what hangs is not begun twice');

    hangs = false;
    release.resolve();
    await node.clock.advance(operation === 'observe' ? HOUR : SECOND);
    assert.equal(node.engine.peek(stuck)?.process.state, 'Running');
    assert.deepEqual(node.engine.violations, []);
  });
}

test('many hanging starts leave room for others after their deadline', async () => {
  const node = new SimulatedNode();
  const never = new Promise<void>(() => {});
  node.engine.fault = (operation, name) => (operation === 'start' && name.includes('hang') ? { kind: 'hang', until: never } : undefined);
  node.apply(...Array.from({ length: 8 }, (_, index) => container(`hang${index}`)));
  node.startDaemon({ startConcurrency: 2 });
  await node.clock.advance(SECOND);
  node.apply(container('late'));
  await node.clock.advance(10 * MINUTE);
  assert.equal(node.engine.peek(parseContainerName('late'))?.process.state, 'Running');
});

test('a missing image is tried again at the pace of a pull, stands in the status, and a corrected spec is tried at once', async () => {
  const node = new SimulatedNode();
  let missing = true;
  node.engine.fault = (operation) => (operation === 'create' && missing ? { kind: 'error', error: new MooringError('NotFound', 'image nowhere:1 is not in the store') } : undefined);
  node.apply(container('stuck', { image: 'nowhere:1' }));
  node.startDaemon();
  await node.clock.advance(15 * MINUTE);
  const tries = node.callsOf('create').length;
  assert.ok(tries >= 5 && tries <= 9, `${tries} tries`);
  const view = node.reconciler.view(stuck);
  assert.equal(view?.phase, 'CreateError');
  assert.equal(view.status.conditions.find(({ type }) => type === 'Stalled')?.reason, 'CreateFailed');
  assert.match(view.status.conditions.find(({ type }) => type === 'Ready')?.message ?? '', /image nowhere:1/);

  missing = false;
  node.apply(container('stuck', { image: 'mooring.local/busybox:latest' }));
  await node.clock.advance(SECOND);
  assert.equal(node.reconciler.view(stuck)?.phase, 'Running');
});

test('starts in flight stay within their bound', async () => {
  const node = new SimulatedNode();
  let inFlight = 0;
  let most = 0;
  const start = node.engine.start.bind(node.engine);
  node.engine.start = async (id) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    await start(id);
    inFlight -= 1;
  };
  node.apply(...others.map((name) => container(name.slice('default/'.length))));
  node.startDaemon({ startConcurrency: 3 });
  assert.ok(await node.settle());
  assert.equal(most, 3);
});

test('five thousand idle containers cost no timer beyond the resync', async () => {
  const node = new SimulatedNode();
  node.engine.latency = 0;
  node.apply(...Array.from({ length: 5_000 }, (_, index) => container(`c${index}`)));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.clock.pending, 1);
  const calls = node.engine.calls.length;
  await node.clock.advance(4 * MINUTE);
  assert.equal(node.engine.calls.length, calls);
  await node.clock.advance(2 * MINUTE);
  assert.equal(node.engine.calls.length, calls + 5_000, 'one look each a resync');
  assert.equal(node.clock.pending, 1);
});
