import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../src/lib/clock.ts';
import { MooringError } from '../../src/lib/errors.ts';
import type { ImageRequest, ImageSource, StandingImage } from '../../src/reconcile/image-source.ts';
import type { ContainerSpec } from '../../src/spec/container.ts';
import { specHash } from '../../src/spec/hash.ts';
import { parseContainerName } from '../../src/spec/name.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const web = parseContainerName('web');

/** A registry in simulated time: a pull takes `takes`, and fails while `broken` says so. */
class SimulatedRegistry implements ImageSource {
  readonly there = new Set<string>();
  readonly pulls: { readonly image: string; readonly at: number }[] = [];
  aborted = 0;
  takes = 30 * SECOND;
  broken: MooringError | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  standing(): StandingImage | undefined {
    return undefined;
  }

  latest(): Promise<string> {
    return Promise.reject(new Error('nobody follows a tag here'));
  }

  has(image: string): Promise<boolean> {
    return Promise.resolve(this.there.has(image));
  }

  pull({ image }: ImageRequest, onProgress: (message: string) => void, signal: AbortSignal): Promise<void> {
    this.pulls.push({ image, at: this.#clock.now() });
    return new Promise((resolve, reject) => {
      const half = this.#clock.setTimeout(() => onProgress('half of it'), this.takes / 2);
      const end = this.#clock.setTimeout(() => {
        if (this.broken) return reject(this.broken);
        this.there.add(image);
        resolve();
      }, this.takes);
      signal.addEventListener('abort', () => {
        this.aborted += 1;
        this.#clock.clearTimeout(half);
        this.#clock.clearTimeout(end);
        reject(new DOMException('aborted', 'AbortError'));
      });
    });
  }
}

function start(spec: Partial<ContainerSpec>, options: { concurrency?: number } = {}): { node: SimulatedNode; registry: SimulatedRegistry } {
  const node = new SimulatedNode();
  const registry = new SimulatedRegistry(node.clock);
  node.apply(container('web', spec));
  node.startDaemon({ images: registry, ...options });
  return { node, registry };
}

const ready = (node: SimulatedNode) => node.reconciler.view(web)?.status.conditions.find(({ type }) => type === 'Ready');

test('a missing image is fetched, its progress is told, and then the container runs', async () => {
  const { node, registry } = start({ image: 'redis:7' });
  await node.clock.advance(16 * SECOND);
  assert.equal(node.reconciler.view(web)?.phase, 'Pulling');
  assert.equal(ready(node)?.message, 'half of it');
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
  assert.equal(registry.pulls.length, 1);
  assert.deepEqual(node.events.map(({ reason }) => reason).slice(0, 4), ['Pulling', 'Pulled', 'Created', 'Started']);
});

test('one place in the work queue suffices for many that pull, and hints on them are no work', async () => {
  const { node } = start({ image: 'redis:7' }, { concurrency: 1 });
  node.apply(container('other', { image: 'mooring.local/busybox' }));
  for (let hint = 0; hint < 5; hint++) node.apply(container(`more-${hint}`, { image: 'redis:7' }));
  await node.clock.advance(5 * SECOND);
  assert.equal(node.reconciler.view(parseContainerName('other'))?.phase, 'Running', 'it does not wait for the pulls of others');
  let resynced = false;
  void node.reconciler.resync().then(() => (resynced = true));
  await node.clock.advance(SECOND);
  assert.ok(resynced, 'a look at what pulls ends at once');
  assert.ok(await node.settle());
  assert.deepEqual(node.engine.violations, []);
});

test('a failing pull is tried again ever more slowly, and told; the registry back, it goes on', async () => {
  const { node, registry } = start({ image: 'redis:7' });
  registry.takes = SECOND;
  registry.broken = new MooringError('Unavailable', 'registry docker.io can not be reached');
  await node.clock.advance(20 * MINUTE);
  assert.equal(node.reconciler.view(web)?.phase, 'PullImageError');
  assert.match(ready(node)?.message ?? '', /can not be reached/);
  const gaps = registry.pulls.map(({ at }, index) => at - (registry.pulls[index - 1]?.at ?? at)).slice(1);
  assert.ok(gaps.every((gap, index) => gap >= (gaps[index - 1] ?? 0) && gap <= 5 * MINUTE + 2 * SECOND), gaps.join());
  assert.ok(registry.pulls.length < 15);
  registry.broken = undefined;
  assert.ok(await node.settle());
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
});

test('a corrected name ends the pull of the wrong one at once', async () => {
  const { node, registry } = start({ image: 'redsi:7' });
  registry.takes = 50 * MINUTE;
  await node.clock.advance(SECOND);
  registry.takes = SECOND;
  node.apply(container('web', { image: 'redis:7' }));
  await node.clock.advance(5 * SECOND);
  assert.equal(registry.aborted, 1);
  assert.equal(node.reconciler.view(web)?.phase, 'Running');
  assert.deepEqual(registry.pulls.map(({ image }) => image), ['redsi:7', 'redis:7']);
});

test('what is no longer wanted is not waited for', async () => {
  const { node, registry } = start({ image: 'redis:7' });
  await node.clock.advance(SECOND);
  node.delete(web);
  await node.clock.advance(SECOND);
  assert.deepEqual([registry.aborted, node.reconciler.view(web), node.engine.violations], [1, undefined, []]);
});

test('a container runs on until the image of its successor is there, for good if that can not be had', async () => {
  const { node, registry } = start({ image: 'redis:7' });
  assert.ok(await node.settle());
  registry.broken = new MooringError('NotFound', 'registry docker.io has no image redis:8');
  node.apply(container('web', { image: 'redis:8' }));
  await node.clock.advance(10 * MINUTE);
  assert.equal(node.engine.peek(web)?.process.state, 'Running');
  assert.equal(node.callsOf('signal').length, 0);
  registry.broken = undefined;
  assert.ok(await node.settle());
  assert.equal(node.engine.peek(web)?.specHash, specHash(container('web', { image: 'redis:8' })));
  assert.equal(node.callsOf('signal').length, 1);
});

test('Always fetches anew for each container that is made, and for no restart of one', async () => {
  const { node, registry } = start({ image: 'redis', env: [] });
  registry.there.add('redis');
  assert.ok(await node.settle());
  node.engine.crash(web);
  assert.ok(await node.settle());
  assert.equal(registry.pulls.length, 1);
  node.apply(container('web', { image: 'redis', env: [{ name: 'A', value: 'b' }] }));
  assert.ok(await node.settle());
  assert.equal(registry.pulls.length, 2);
});

test('Never, and images of the node itself, are not asked for', async () => {
  for (const spec of [{ image: 'redis', imagePullPolicy: 'Never' }, { image: 'mooring.local/base' }] as const) {
    const { node, registry } = start(spec);
    assert.ok(await node.settle());
    assert.deepEqual(registry.pulls, []);
  }
});
