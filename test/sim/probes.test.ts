import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProbeAction, Prober, ProbeTarget } from '../../src/reconcile/prober.ts';
import { type Container, containerSchema } from '../../src/spec/container.ts';
import { type ContainerName, parseContainerName } from '../../src/spec/name.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const [app, web] = ['app', 'web'].map(parseContainerName) as [ContainerName, ContainerName];

type Kind = 'startup' | 'readiness' | 'liveness' | 'health';

/** Answers each kind of probe, which is known by its command, as it is told to. */
class Answers implements Prober {
  readonly calls: { readonly at: number; readonly kind: Kind }[] = [];
  readonly passes: Record<Kind, boolean> = { startup: true, readiness: true, liveness: true, health: true };
  image: Awaited<ReturnType<Prober['imageHealthcheck']>>;
  imageFault: Error | undefined;
  readonly #node: SimulatedNode;

  constructor(node: SimulatedNode) {
    this.#node = node;
  }

  imageHealthcheck(): ReturnType<Prober['imageHealthcheck']> {
    return this.imageFault ? Promise.reject(this.imageFault) : Promise.resolve(this.image);
  }

  probe(_target: ProbeTarget, { exec }: ProbeAction): ReturnType<Prober['probe']> {
    const kind = (exec?.command[0] ?? 'health') as Kind;
    this.calls.push({ at: this.#node.clock.now(), kind });
    return Promise.resolve({ exitCode: this.passes[kind] ? 0 : 1, output: `the ${kind} of it` });
  }

  timesOf(kind: Kind): number[] {
    const [first] = this.calls;
    return this.calls.filter((call) => call.kind === kind).map(({ at }) => (at - (first?.at ?? 0)) / SECOND);
  }
}

function container(name: string, spec: object): Container {
  return containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name }, spec: { image: 'mooring.local/busybox:latest', ...spec } });
}

function probe(kind: Kind, more: object = {}): object {
  return { [`${kind}Probe`]: { exec: { command: [kind] }, ...more } };
}

async function nodeWith(...documents: readonly Container[]): Promise<{ readonly node: SimulatedNode; readonly answers: Answers }> {
  const node = new SimulatedNode();
  const answers = new Answers(node);
  node.apply(...documents);
  node.startDaemon({ prober: answers });
  return { node, answers };
}

function ready(node: SimulatedNode, name = app): string {
  const condition = node.reconciler.view(name)?.status.conditions.find(({ type }) => type === 'Ready');
  return `${condition?.status} ${condition?.reason}`;
}

test('readiness is the condition Ready, by its thresholds and periods; it restarts nothing', async () => {
  const { node, answers } = await nodeWith(container('app', probe('readiness', { initialDelaySeconds: 5, periodSeconds: 2, successThreshold: 2, failureThreshold: 3 })));
  await node.clock.advance(4 * SECOND);
  assert.equal(ready(node), 'False Starting');
  assert.equal(node.reconciler.view(app)?.phase, 'Running');
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node), 'False Starting', 'one success is not enough');
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node), 'True Running');
  assert.deepEqual(answers.timesOf('readiness'), [0, 2]);
  answers.passes.readiness = false;
  await node.clock.advance(4 * SECOND);
  assert.equal(ready(node), 'True Running');
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node), 'False NotReady');
  assert.match(node.events.at(-1)?.message ?? '', /its readiness probe: 3 probes in a row failed, the last with exit code 1: the readiness of it/);
  await node.clock.advance(HOUR);
  assert.equal(node.callsOf('start').length, 1);
});

test('who depends on readiness starts with it, and not before', async () => {
  const { node, answers } = await nodeWith(container('web', { dependsOn: [{ container: 'app' }] }), container('app', probe('readiness', { periodSeconds: 1 })));
  answers.passes.readiness = false;
  await node.clock.advance(MINUTE);
  assert.equal(ready(node, web), 'False WaitingForDependency');
  assert.equal(node.callsOf('start', web).length, 0);
  answers.passes.readiness = true;
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node, web), 'True Running');
  answers.passes.readiness = false;
  await node.clock.advance(MINUTE);
  assert.equal(ready(node), 'False NotReady');
  assert.equal(ready(node, web), 'True Running', 'what runs, runs on');
});

test("an image's health check counts, too, though nobody knows of it before the container runs", async () => {
  const { node, answers } = await nodeWith(container('web', { dependsOn: [{ container: 'app' }], healthcheck: { disabled: true } }), container('app', {}));
  answers.image = { Test: ['CMD', 'health'], Interval: 10e9 };
  await node.clock.advance(9 * SECOND);
  assert.equal(ready(node), 'False Starting');
  assert.equal(node.callsOf('start', web).length, 0);
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node, web), 'True Running');

  const gone = await nodeWith(container('app', {}));
  gone.answers.imageFault = new Error('there is no such image any more');
  await gone.node.clock.advance(SECOND);
  assert.equal(ready(gone.node), 'True Running', 'an image that can not be read asks for nothing');
});

test('liveness ends a container in order and has it restarted, with the backoff of crashes', async () => {
  const { node, answers } = await nodeWith(container('app', probe('liveness', { periodSeconds: 1, failureThreshold: 2, terminationGracePeriodSeconds: 90 })));
  node.engine.programs.set(app, { endsAfterSignal: 70 * SECOND });
  await node.clock.advance(5 * SECOND);
  answers.passes.liveness = false;
  await node.clock.advance(10 * SECOND);
  assert.deepEqual([node.callsOf('signal').length, node.callsOf('kill').length], [1, 0]);
  assert.match(node.events.find(({ reason }) => reason === 'Stopping')?.message ?? '', /its liveness probe: 2 probes in a row failed/);
  await node.clock.advance(65 * SECOND);
  assert.deepEqual([node.callsOf('kill').length, node.callsOf('start').length], [0, 2], "the probe's own grace holds, beyond that of the spec");
  assert.equal(node.reconciler.view(app)?.status.restartCount, 1);
  await node.clock.advance(HOUR);
  const starts = node.callsOf('start');
  assert.ok(starts.length < 40, `${starts.length} starts in an hour`);
  assert.ok(node.events.some(({ reason }) => reason === 'BackOff'));
  answers.passes.liveness = true;
  await node.clock.advance(HOUR);
  assert.equal(ready(node), 'True Running');
});

test('startup holds the others back, and ends what does not start in time', async () => {
  const spec = { ...probe('startup', { periodSeconds: 1, failureThreshold: 30 }), ...probe('readiness', { periodSeconds: 1 }), ...probe('liveness', { periodSeconds: 1, failureThreshold: 1 }) };
  const { node, answers } = await nodeWith(container('app', spec));
  Object.assign(answers.passes, { startup: false, liveness: false });
  await node.clock.advance(20 * SECOND);
  assert.deepEqual([...new Set(answers.calls.map(({ kind }) => kind))], ['startup']);
  assert.equal(ready(node), 'False Starting');
  Object.assign(answers.passes, { startup: true, liveness: true });
  await node.clock.advance(2 * SECOND);
  assert.equal(ready(node), 'True Running');
  const probes = answers.timesOf('startup').length;
  await node.clock.advance(MINUTE);
  assert.equal(answers.timesOf('startup').length, probes, 'whoever has started is not asked again');
  answers.passes.startup = false;
  node.engine.crash(app);
  await node.clock.advance(MINUTE);
  assert.ok(node.events.some(({ message }) => /its startup probe: 30 probes in a row failed/.test(message)));
  assert.ok(node.callsOf('start').length >= 3);
});

test('a health check restarts where it says so; under Never what is unhealthy ends for good', async () => {
  const healthcheck = { command: ['health'], interval: '1s', retries: 2, onFailure: 'Restart' };
  const { node, answers } = await nodeWith(container('app', { healthcheck }), container('web', { healthcheck, restartPolicy: 'Never' }));
  answers.passes.health = false;
  await node.clock.advance(5 * SECOND);
  assert.ok(node.callsOf('start', app).length > 1);
  assert.equal(node.callsOf('start', web).length, 1);
  assert.equal(node.reconciler.view(web)?.phase, 'Failed');
});

test('a stop for the sake of a probe goes on with the next daemon, to its end', async () => {
  const { node, answers } = await nodeWith(container('app', { ...probe('liveness', { periodSeconds: 1, failureThreshold: 1 }), stopTimeoutSeconds: 20 }));
  node.engine.programs.set(app, { endsAfterSignal: undefined });
  answers.passes.liveness = false;
  await node.clock.advance(5 * SECOND);
  assert.equal(node.callsOf('signal').length, 1);
  node.killDaemon();
  answers.passes.liveness = true;
  node.startDaemon({ prober: answers });
  await node.clock.advance(MINUTE);
  assert.deepEqual([node.callsOf('signal').length, node.callsOf('kill').length, node.callsOf('start').length], [1, 1, 2]);
  await node.reconciler.close();
  assert.equal(node.clock.pending, 0);
});
