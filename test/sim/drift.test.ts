import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DriftKind } from '../../src/engine/engine.ts';
import type { FileFindings, FileWatcher } from '../../src/engine/file-watcher.ts';
import { driftSchema } from '../../src/spec/drift.ts';
import { type ContainerName, parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');

async function runningNode(): Promise<SimulatedNode> {
  const node = new SimulatedNode();
  node.apply(container('web'));
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  return node;
}

function assertWhole(node: SimulatedNode): void {
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.deepEqual(node.engine.peek(web)?.drift, []);
  assert.deepEqual(node.engine.violations, []);
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
}

test('a killed process runs again at once', async () => {
  const node = await runningNode();
  const at = node.clock.now();
  node.engine.crash(web);
  assert.ok(await node.settle());
  assertWhole(node);
  assert.ok(node.clock.now() - at < 100);
  assert.deepEqual(node.counts.detected, { Process: 1 });
  assert.deepEqual(node.counts.repaired, { Process: 1 });
  assert.equal(node.reconciler.view(web)?.status.restartCount, 1);
  assert.equal(node.reconciler.view(web)?.status.lastDrift?.kind, 'Process');
  assert.deepEqual(
    node.events.map(({ reason }) => reason),
    ['Created', 'Started', 'Exited', 'DriftDetected', 'Started', 'DriftRepaired'],
  );
});

test('altered limits are written again without a restart', async () => {
  const node = await runningNode();
  node.engine.disturb(web, { kind: 'Limits', message: 'pids.max is 5, want 100' });
  assert.ok(await node.settle());
  assertWhole(node);
  assert.equal(node.callsOf('start').length, 1);
  assert.equal(node.callsOf('restoreLimits').length, 1);
  assert.deepEqual(node.counts.detected, { Limits: 1 });
  assert.deepEqual(node.counts.repaired, { Limits: 1 });
  assert.equal(node.reconciler.view(web)?.status.restartCount, 0);
});

for (const kind of ['Mounts', 'Rootfs', 'Bundle'] satisfies DriftKind[]) {
  test(`drift of kind ${kind} is undone by an orderly restart`, async () => {
    const node = await runningNode();
    node.engine.disturb(web, { kind, message: 'something is missing' });
    await node.clock.advance(SECOND);
    assertWhole(node);
    assert.equal(node.callsOf('signal').length, 1);
    assert.equal(node.callsOf('kill').length, 0);
    assert.equal(node.callsOf('start').length, 2);
    assert.deepEqual(node.counts.detected, { [kind]: 1 });
    assert.deepEqual(node.counts.repaired, { [kind]: 1 });
    assert.equal(node.reconciler.view(web)?.status.restartCount, 1);
    assert.equal(node.factsOf(web)?.crashes, 0);
  });
}

test('drift that comes back after each repair is fought with a backoff, and the container goes on running meanwhile', async () => {
  const node = await runningNode();
  const disturbing = setIntervalOn(node, SECOND, () => node.engine.disturb(web, { kind: 'Mounts', message: 'a mount is missing' }));
  await node.clock.advance(HOUR);
  disturbing.stop();
  const restarts = node.callsOf('start').length - 1;
  assert.ok(restarts >= 8 && restarts < 25, `${restarts} restarts in an hour`);
  await node.clock.advance(10 * MINUTE);
  assertWhole(node);
});

test('limits that are altered a thousand times a second cost a bounded number of repairs', async () => {
  const node = await runningNode();
  const disturbing = setIntervalOn(node, 1, () => node.engine.disturb(web, { kind: 'Limits', message: 'pids.max is 5, want 100' }));
  await node.clock.advance(10 * SECOND);
  disturbing.stop();
  assert.ok(node.callsOf('restoreLimits').length < 350, `${node.callsOf('restoreLimits').length} repairs in ten seconds`);
  assert.ok(await node.settle());
  assertWhole(node);
});

test('a repair without effect is retried ever more slowly, and reported', async () => {
  const node = await runningNode();
  let repairs = 0;
  node.engine.restoreLimits = async () => {
    repairs += 1;
  };
  node.engine.disturb(web, { kind: 'Limits', message: 'pids.max is 5, want 100' });
  await node.clock.advance(HOUR);
  assert.ok(repairs > 5 && repairs < 40, `${repairs} repairs`);
  const stalled = node.reconciler.view(web)?.status.conditions.find(({ type }) => type === 'Stalled');
  assert.equal(stalled?.status, 'True');
  assert.match(stalled.message, /RestoreLimits was carried out, and is still needed: pids\.max/);
});

test('a lost event is made up for by the resync', async () => {
  const node = await runningNode();
  node.engine.losesEvent = () => true;
  node.engine.crash(web);
  await node.clock.advance(10 * SECOND);
  assert.equal(node.engine.peek(web)?.process.state, 'Exited');
  await node.clock.advance(6 * MINUTE);
  assertWhole(node);
});

test('what is only reported is left as it is, told once, and remembered by the next daemon', async () => {
  const node = new SimulatedNode();
  node.apply(container('web', { drift: { policy: 'Report' } }));
  node.startDaemon();
  assert.ok(await node.settle());
  node.engine.disturb(web, { kind: 'Mounts', message: '/data is not mounted' });
  await node.clock.advance(HOUR);
  assert.deepEqual([node.callsOf('signal').length, node.callsOf('start').length, node.counts.detected, node.counts.repaired], [0, 1, { Mounts: 1 }, {}]);
  assert.equal(node.events.filter(({ reason }) => reason === 'DriftDetected').length, 1);
  const drifted = (): unknown => node.reconciler.view(web)?.status.conditions.find(({ type }) => type === 'Drifted')?.status;
  assert.equal(drifted(), 'True');
  node.killDaemon();
  node.startDaemon();
  assert.ok(await node.settle());
  assert.equal(drifted(), 'True');
  const [report] = await node.reconciler.drift();
  assert.deepEqual(report?.present.map(({ kind, policy, count }) => [kind, policy, count]), [['Mounts', 'Report', 1]]);
  assert.equal(node.events.filter(({ reason }) => reason === 'DriftDetected').length, 1);

  node.apply(container('web'));
  await node.clock.advance(MINUTE);
  assertWhole(node);
  assert.deepEqual((await node.reconciler.drift())[0]?.past.map(({ kind, undoneBy }) => [kind, undoneBy]), [['Mounts', 'Start']]);
});

test('changed files are thrown away by a restart, at whatever point the daemon dies on the way', async () => {
  const drift = { files: { policy: 'Correct' as const, allowedPaths: [] } };
  for (let steps = 1; steps < 60; steps += 3) {
    const node = new SimulatedNode();
    const watcher = new ScriptedFiles(node);
    node.apply(container('web', { drift: driftSchema.parse(drift) }));
    node.startDaemon({ files: watcher });
    assert.ok(await node.settle());
    watcher.change();
    for (let turn = 0; turn < steps; turn++) await Promise.resolve();
    node.killDaemon();
    node.startDaemon({ files: watcher });
    await node.clock.advance(MINUTE);
    assertWhole(node);
    assert.equal(watcher.isChanged, false, `after ${steps} turns`);
    assert.deepEqual([node.callsOf('reset').length, node.callsOf('create').length], [1, 1]);
  }
});

/** The files of one container, which a reset puts back. */
class ScriptedFiles implements FileWatcher {
  readonly #node: SimulatedNode;
  readonly #listeners = new Set<(name: ContainerName) => void>();
  #resets: number | undefined;

  constructor(node: SimulatedNode) {
    this.#node = node;
  }

  get isChanged(): boolean {
    return this.#resets !== undefined && this.#node.callsOf('reset').length === this.#resets;
  }

  change(): void {
    this.#resets = this.#node.callsOf('reset').length;
    for (const listener of this.#listeners) listener(web);
  }

  async find(): Promise<FileFindings> {
    return { files: this.isChanged ? [{ kind: 'C', path: '/srv/index.html', by: { pid: 7, program: 'sed', uid: 0, isInside: true } }] : [], more: 0 };
  }

  release(): void {}

  subscribe(listener: (name: ContainerName) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function setIntervalOn(node: SimulatedNode, every: number, action: () => void): { stop(): void } {
  let stopped = false;
  const tick = (): void => {
    if (stopped) return;
    action();
    node.clock.setTimeout(tick, every);
  };
  node.clock.setTimeout(tick, every);
  return {
    stop: () => {
      stopped = true;
    },
  };
}
