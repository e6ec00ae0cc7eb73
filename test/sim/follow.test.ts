import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/lib/clock.ts';
import { MooringError } from '../../src/lib/errors.ts';
import type { ImageSource, StandingImage } from '../../src/reconcile/image-source.ts';
import type { ContainerSpec } from '../../src/spec/container.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');
const IMAGE = 'registry.example/app:stable';
const INTERVAL = { interval: '5m' };

/** A registry with one tag that moves, and a node that fetches what it stands for. An image's digest is its id behind "index-". */
class MovingTag implements ImageSource {
  current = 'one';
  here: string | undefined = 'one';
  /** When it was asked. */
  readonly asked: number[] = [];
  pulls = 0;
  broken: MooringError | undefined;
  brokenPull: MooringError | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  has(): Promise<boolean> {
    return Promise.resolve(this.here !== undefined);
  }

  standing(): StandingImage | undefined {
    return this.here === undefined ? undefined : { imageId: this.here, repoDigest: `index-${this.here}` };
  }

  latest(): Promise<string> {
    this.asked.push(this.#clock.now());
    return this.broken ? Promise.reject(this.broken) : Promise.resolve(`index-${this.current}`);
  }

  pull(): Promise<void> {
    this.pulls++;
    if (this.brokenPull) return Promise.reject(this.brokenPull);
    this.here = this.current;
    return Promise.resolve();
  }
}

function start(spec: Partial<ContainerSpec> = {}, count = 1): { node: SimulatedNode; tag: MovingTag } {
  const node = new SimulatedNode();
  const tag = new MovingTag(node.clock);
  node.engine.imageIdOf = () => tag.here ?? '';
  for (let index = 0; index < count; index++) node.apply(container(index === 0 ? 'web' : `web-${index}`, { image: IMAGE, imageUpdatePolicy: INTERVAL, ...spec }));
  node.startDaemon({ images: tag, random: () => 0.5 });
  return { node, tag };
}

const calls = (node: SimulatedNode, operation: string) => node.engine.calls.filter((call) => call.operation === operation).length;
const view = (node: SimulatedNode) => node.reconciler.view(web);
/** What comes of work that wants simulated time to pass. */
async function within<T>(node: SimulatedNode, work: Promise<T>): Promise<T> {
  await node.clock.advance(SECOND);
  return work;
}

const told = (node: SimulatedNode, reason: string) => node.events.filter((event) => event.reason === reason);

test('a tag that moves is a drift of its own kind: fetched while the old container runs, which is then replaced', async () => {
  const { node, tag } = start();
  assert.ok(await node.settle());
  await node.clock.advance(20 * MINUTE);
  assert.equal(calls(node, 'create'), 1, 'nothing moved, nothing happens');
  tag.current = 'two';
  await node.clock.advance(7 * MINUTE);
  assert.equal(tag.pulls, 1);
  assert.equal(calls(node, 'create'), 2);
  assert.equal(view(node)?.phase, 'Running');
  assert.equal(view(node)?.status.imageID, 'two');
  assert.equal(view(node)?.status.restartCount, 0, 'a replacement is no restart');
  assert.equal(view(node)?.status.lastDrift?.kind, 'Image');
  assert.deepEqual([node.counts.detected['Image'], node.counts.repaired['Image']], [1, 1]);
  assert.match(told(node, 'DriftDetected')[0]?.message ?? '', /registry\.example\/app:stable is index-two in its registry now, and the node has index-one/);
  assert.deepEqual(node.engine.violations, []);
});

test('what the plan says of a moved tag is what is done', async () => {
  const { node, tag } = start();
  assert.ok(await node.settle());
  tag.brokenPull = new MooringError('Unavailable', 'not now');
  tag.current = 'two';
  await node.clock.advance(7 * MINUTE);
  const [change] = await within(node, node.reconciler.plan([container('web', { image: IMAGE, imageUpdatePolicy: INTERVAL })], { prune: false }));
  assert.ok(change !== undefined && 'steps' in change);
  assert.equal(change.action, 'Recreate');
  assert.deepEqual(change.steps.map(({ kind }) => kind), ['PullImage', 'Signal', 'Remove', 'Create', 'Start']);
  assert.match((await within(node, node.reconciler.explain(web))).next.message, /is index-two in its registry now/);
});

test('the registry is asked once an interval for all that follow a tag, less often while it fails, and that is told once', async () => {
  const { node, tag } = start({}, 20);
  await node.clock.advance(HOUR);
  assert.ok(tag.asked.length >= 10 && tag.asked.length <= 16, `${tag.asked.length} questions in an hour`);
  const before = tag.asked.length;
  tag.broken = new MooringError('Unavailable', 'registry registry.example limits how often it is asked');
  await node.clock.advance(6 * HOUR);
  const gaps = tag.asked.slice(before).map((at, index, all) => at - (all[index - 1] ?? at)).slice(1);
  assert.ok(tag.asked.length - before <= 10, `${tag.asked.length - before} questions in six hours`);
  assert.ok(gaps.every((gap, index) => gap >= (gaps[index - 1] ?? 0) - SECOND), gaps.join());
  assert.equal(told(node, 'ImageNotFollowed').filter(({ name }) => name === web).length, 1);
  tag.broken = undefined;
  tag.current = 'two';
  await node.clock.advance(3 * HOUR);
  assert.equal(calls(node, 'create'), 40, 'all are replaced once it answers');
});

test('a new image that can not be fetched costs the running container nothing', async () => {
  const { node, tag } = start();
  assert.ok(await node.settle());
  tag.current = 'two';
  tag.brokenPull = new MooringError('Unavailable', 'registry registry.example can not be reached');
  await node.clock.advance(2 * HOUR);
  assert.equal(calls(node, 'signal') + calls(node, 'kill'), 0);
  assert.equal(view(node)?.phase, 'Running');
  assert.equal(view(node)?.status.conditions.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(view(node)?.status.conditions.find(({ type }) => type === 'Stalled')?.status, 'True');
  tag.brokenPull = undefined;
  await node.clock.advance(10 * MINUTE);
  assert.equal(view(node)?.status.imageID, 'two');
});

test('a crashed container is started again while its tag can not be asked, and a completed run is not repeated', async () => {
  const { node, tag } = start();
  node.engine.programs.set(web, { run: (run) => (run === 1 ? { lasts: 3 * SECOND, exitCode: 1 } : { lasts: Number.POSITIVE_INFINITY, exitCode: 0 }) });
  tag.broken = new MooringError('Unavailable', 'gone');
  await node.clock.advance(MINUTE);
  assert.equal(view(node)?.phase, 'Running');
  const job = start({ restartPolicy: 'Never' });
  job.node.engine.programs.set(web, { run: () => ({ lasts: SECOND, exitCode: 0 }) });
  await job.node.clock.advance(MINUTE);
  job.tag.current = 'two';
  await job.node.clock.advance(HOUR);
  assert.equal(calls(job.node, 'create'), 1);
  assert.equal(view(job.node)?.phase, 'Completed');
});

test('nobody asks for what is suspended, gone, or not followed any more', async () => {
  const { node, tag } = start();
  await node.clock.advance(HOUR);
  const silent = async (what: string): Promise<void> => {
    const before = tag.asked.length;
    await node.clock.advance(2 * HOUR);
    assert.equal(tag.asked.length, before, what);
  };
  node.apply(container('web', { image: IMAGE, imageUpdatePolicy: INTERVAL, suspend: true }));
  await silent('suspended');
  node.apply(container('web', { image: IMAGE }));
  await silent('not followed');
  node.apply(container('web', { image: IMAGE, imageUpdatePolicy: INTERVAL }));
  await node.clock.advance(HOUR);
  assert.ok(tag.asked.length > 0);
  node.delete(web);
  await silent('gone');
});

test('a stop for a moved tag that is not heeded ends in a kill', async () => {
  const { node, tag } = start({ stopTimeoutSeconds: 10 });
  node.engine.programs.set(web, { endsAfterSignal: undefined });
  assert.ok(await node.settle());
  tag.current = 'two';
  await node.clock.advance(8 * MINUTE);
  assert.equal(calls(node, 'kill'), 1);
  assert.equal(view(node)?.status.imageID, 'two');
});
