import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MooringError } from '../../src/lib/errors.ts';
import type { ProbeAction, Prober, ProbeTarget } from '../../src/reconcile/prober.ts';
import { healthcheckSchema } from '../../src/spec/healthcheck.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');
const healthcheck = healthcheckSchema.parse({ command: ['check'], interval: '10s', timeout: '5s', retries: 2 });

class Probes implements Prober {
  readonly calls: { readonly at: number; readonly command: readonly string[] }[] = [];
  exitCode = 0;
  fault: MooringError | undefined;
  image: Awaited<ReturnType<Prober['imageHealthcheck']>>;
  readonly #node: SimulatedNode;

  constructor(node: SimulatedNode) {
    this.#node = node;
  }

  imageHealthcheck(): ReturnType<Prober['imageHealthcheck']> {
    return Promise.resolve(this.image);
  }

  probe(_target: ProbeTarget, { exec }: ProbeAction): ReturnType<Prober['probe']> {
    this.calls.push({ at: this.#node.clock.now(), command: exec?.command ?? [] });
    return this.fault ? Promise.reject(this.fault) : Promise.resolve({ exitCode: this.exitCode, output: 'what it wrote' });
  }
}

async function probedNode(spec: Parameters<typeof container>[1] = { healthcheck }, prepare: (probes: Probes) => void = () => {}): Promise<{ readonly node: SimulatedNode; readonly probes: Probes }> {
  const node = new SimulatedNode();
  const probes = new Probes(node);
  prepare(probes);
  node.apply(container('web', spec));
  node.startDaemon({ prober: probes });
  assert.ok(await node.settle());
  return { node, probes };
}

const condition = (node: SimulatedNode): string | undefined => {
  const healthy = node.reconciler.view(web)?.status.conditions.find(({ type }) => type === 'Healthy');
  return healthy && `${healthy.status} ${healthy.reason}`;
};

test('a container is starting until a probe passes, healthy while they do, unhealthy after so many that do not', async () => {
  const { node, probes } = await probedNode();
  assert.equal(condition(node), 'Unknown Starting');
  assert.equal(probes.calls.length, 0, 'the first comes after the interval');
  await node.clock.advance(10 * SECOND);
  assert.equal(condition(node), 'True Healthy');
  probes.exitCode = 1;
  await node.clock.advance(10 * SECOND);
  assert.equal(condition(node), 'True Healthy');
  await node.clock.advance(10 * SECOND);
  assert.equal(condition(node), 'False Unhealthy');
  assert.match(node.events.at(-1)?.message ?? '', /2 probes in a row failed, the last with exit code 1: what it wrote/);
  assert.equal(node.reconciler.health(web)?.log.length, 3);
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
  probes.exitCode = 0;
  await node.clock.advance(10 * SECOND);
  assert.equal(condition(node), 'True Healthy');
  assert.deepEqual(node.events.map(({ reason }) => reason), ['Created', 'Started', 'Healthy', 'Unhealthy', 'Healthy']);
});

test('one without a health check costs no timer; the image may ask for one, and the spec may refuse it', async () => {
  const { node, probes } = await probedNode({});
  assert.equal(node.clock.pending, 1, 'only the resync');
  await node.clock.advance(HOUR);
  assert.deepEqual([probes.calls.length, condition(node)], [0, undefined]);
  const asked = await probedNode({}, (each) => (each.image = { Test: ['CMD-SHELL', 'ask'], Interval: 60e9 }));
  await asked.node.clock.advance(MINUTE);
  assert.deepEqual(asked.probes.calls.map(({ command }) => command), [['/bin/sh', '-c', 'ask']]);
  const refused = await probedNode({ healthcheck: healthcheckSchema.parse({ disabled: true }) }, (each) => (each.image = { Test: ['CMD', 'ask'] }));
  await refused.node.clock.advance(HOUR);
  assert.equal(refused.probes.calls.length, 0);
});

test('each run starts anew; what does not run, or stands still, is not probed', async () => {
  const { node, probes } = await probedNode();
  await node.clock.advance(10 * SECOND);
  assert.equal(condition(node), 'True Healthy');
  node.engine.crash(web);
  await node.clock.advance(SECOND);
  assert.equal(condition(node), 'Unknown Starting');
  await node.clock.advance(10 * SECOND);
  assert.equal(condition(node), 'True Healthy');

  node.apply(container('web', { healthcheck, pause: true }));
  await node.clock.advance(SECOND);
  const calls = probes.calls.length;
  await node.clock.advance(HOUR);
  assert.deepEqual([probes.calls.length, condition(node)], [calls, 'True Healthy']);
  node.apply(container('web', { healthcheck }));
  await node.clock.advance(11 * SECOND);
  assert.equal(probes.calls.length, calls + 1);

  node.apply(container('web', { healthcheck, suspend: true }));
  await node.clock.advance(HOUR);
  assert.deepEqual([probes.calls.length, condition(node), node.clock.pending], [calls + 1, undefined, 1]);
});

test('another health check takes effect on the run that goes on', async () => {
  const { node, probes } = await probedNode();
  node.apply(container('web', { healthcheck: { ...healthcheck, command: ['other'], interval: '1s' } }));
  await node.clock.advance(2 * SECOND);
  assert.deepEqual(probes.calls.at(-1)?.command, ['other']);
  assert.equal(node.callsOf('start').length, 1);
  node.apply(container('web'));
  await node.clock.advance(SECOND);
  assert.equal(condition(node), undefined);
});

test('a probe that can not be made counts as failed, but not where the container has just ended', async () => {
  const { node, probes } = await probedNode();
  probes.fault = new MooringError('Conflict', 'container web is not running');
  await node.clock.advance(MINUTE);
  assert.equal(condition(node), 'Unknown Starting');
  probes.fault = new MooringError('Unavailable', 'no process can be added');
  await node.clock.advance(20 * SECOND);
  assert.equal(condition(node), 'False Unhealthy');
  assert.match(node.reconciler.health(web)?.log.at(-1)?.output ?? '', /no process can be added/);
});

test('a daemon that ends leaves no timer, and the next one probes on', async () => {
  const { node, probes } = await probedNode();
  await node.clock.advance(10 * SECOND);
  await node.reconciler.close();
  assert.equal(node.clock.pending, 0);
  node.startDaemon({ prober: probes });
  await node.clock.advance(11 * SECOND);
  assert.equal(condition(node), 'True Healthy');
});
