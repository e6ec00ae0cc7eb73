import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MooringError } from '../../src/lib/errors.ts';
import type { Container } from '../../src/spec/container.ts';
import type { Dependency } from '../../src/spec/depends-on.ts';
import { type ContainerName, parseContainerName } from '../../src/spec/name.ts';
import { pseudoRandom } from '../support/pseudo-random.ts';
import { container } from '../support/reconcile-fixtures.ts';
import { HOUR, MINUTE, SECOND, SimulatedNode } from './simulated-node.ts';

const [web, db, job] = ['web', 'db', 'job'].map(parseContainerName) as [ContainerName, ContainerName, ContainerName];

function on(name: string, more: Partial<Dependency> = {}): Dependency {
  return { container: name, required: true, restart: false, ...more };
}

function ready(node: SimulatedNode, name: ContainerName): string | undefined {
  return node.reconciler.view(name)?.status.conditions.find(({ type }) => type === 'Ready')?.reason;
}

const isRunning = (node: SimulatedNode, name: ContainerName): boolean => node.engine.peek(name)?.process.state === 'Running';
const ends = (exitCode: number, lasts = 5 * SECOND) => ({ run: () => ({ lasts, exitCode }) });

/** The order of the calls of one kind. */
function sequence(node: SimulatedNode, ...operations: readonly string[]): string[] {
  return node.engine.calls.filter(({ operation }) => operations.includes(operation)).map(({ operation, name }) => `${operation} ${name.slice('default/'.length)}`);
}

test('a container starts once what it depends on runs, whatever the order of the files; it waits as Pending, and costs nothing', async () => {
  const node = new SimulatedNode();
  node.engine.fault = (operation, name) => (operation === 'start' && name === db && node.clock.now() < Date.UTC(2026, 0, 1) + 20 * SECOND ? { kind: 'error', error: new MooringError('Unavailable', 'not yet') } : undefined);
  node.apply(container('web', { dependsOn: [on('db')] }), container('db'));
  node.startDaemon();
  await node.clock.advance(10 * SECOND);
  const looks = node.callsOf('observe', web).length;
  assert.equal(ready(node, web), 'WaitingForDependency');
  assert.equal(node.reconciler.view(web)?.phase, 'Pending');
  assert.match(node.events.find(({ name, reason }) => name === web && reason === 'WaitingForDependency')?.message ?? '', /it waits for container default\/db, which has not started yet/);
  await node.clock.advance(SECOND);
  assert.ok(node.callsOf('observe', web).length - looks <= 3, 'it is looked at when that one is, and no more');
  await node.clock.advance(MINUTE);
  assert.equal(sequence(node, 'start').at(-1), 'start web');
  assert.ok(isRunning(node, web));
});

test('of three in a row each waits for the one before it, after a crash of the daemon and a reboot, too', async () => {
  const node = new SimulatedNode();
  node.apply(container('c', { dependsOn: [on('b')] }), container('b', { dependsOn: [on('a')] }), container('a'));
  node.startDaemon();
  await node.clock.advance(SECOND);
  assert.deepEqual(sequence(node, 'start'), ['start a', 'start b', 'start c']);
  node.killDaemon();
  node.engine.reboot();
  node.engine.calls.length = 0;
  node.startDaemon();
  await node.clock.advance(SECOND);
  assert.deepEqual(sequence(node, 'start'), ['start a', 'start b', 'start c']);
  node.killDaemon();
  node.engine.calls.length = 0;
  node.startDaemon();
  await node.clock.advance(SECOND);
  assert.deepEqual(sequence(node, 'start', 'signal'), [], 'what runs is not touched by a new daemon');
});

test('Completed waits for exit code 0, also over a reboot; a job that failed for good is told, and one that may fail is not waited for', async () => {
  const node = new SimulatedNode();
  node.engine.programs.set(job, ends(0));
  node.apply(container('web', { dependsOn: [on('job', { condition: 'Completed' })] }), container('job', { restartPolicy: 'OnFailure' }));
  node.startDaemon();
  await node.clock.advance(4 * SECOND);
  assert.equal(ready(node, web), 'WaitingForDependency');
  await node.clock.advance(2 * SECOND);
  assert.ok(isRunning(node, web));
  node.killDaemon();
  node.engine.reboot();
  node.startDaemon();
  await node.clock.advance(SECOND);
  assert.ok(isRunning(node, web), 'the job is not run again');
  assert.equal(node.callsOf('start', job).length, 1);

  const failing = new SimulatedNode();
  failing.engine.programs.set(job, ends(3));
  failing.apply(container('web', { dependsOn: [on('job', { condition: 'Completed' })] }), container('job', { restartPolicy: 'Never' }));
  failing.startDaemon();
  await failing.clock.advance(10 * SECOND);
  assert.equal(ready(failing, web), 'DependencyFailed');
  failing.apply(container('web', { dependsOn: [on('job', { condition: 'Completed', required: false })] }));
  await failing.clock.advance(SECOND);
  assert.ok(isRunning(failing, web));
});

test('what nobody declares, what is suspended and what never completes keeps a container waiting, unless it is not required', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  node.apply(container('web', { dependsOn: [on('db')] }));
  await node.clock.advance(SECOND);
  assert.equal(ready(node, web), 'DependencyMissing');
  node.apply(container('db', { suspend: true }));
  await node.clock.advance(SECOND);
  assert.equal(ready(node, web), 'DependencySuspended');
  node.apply(container('web', { dependsOn: [on('db', { condition: 'Completed' })] }), container('db'));
  await node.clock.advance(SECOND);
  assert.equal(ready(node, web), 'DependencyFailed');
  assert.ok(node.events.some(({ name, message }) => name === web && /never completes: its restartPolicy is Always/.test(message)));
  node.delete(db);
  node.apply(container('web', { dependsOn: [on('db', { required: false })] }));
  await node.clock.advance(SECOND);
  assert.ok(isRunning(node, web));
});

test('another spec of a container that runs takes effect once its dependencies are there; until then it runs on', async () => {
  const node = new SimulatedNode();
  node.apply(container('web', { dependsOn: [on('db')] }), container('db'));
  node.startDaemon();
  assert.ok(await node.settle());
  node.delete(db);
  node.apply(container('web', { image: 'mooring.local/busybox:2', dependsOn: [on('db')] }));
  await node.clock.advance(MINUTE);
  assert.ok(isRunning(node, web));
  assert.equal(ready(node, web), 'DependencyMissing');
  node.apply(container('db'));
  await node.clock.advance(MINUTE);
  assert.equal(ready(node, web), 'Running');
  assert.equal(node.callsOf('start', web).length, 2);
});

test('where both change, the one that depends on the other is replaced once the new one is there', async () => {
  const node = new SimulatedNode();
  const both = (image: string) => [container('web', { image, dependsOn: [on('db', { condition: 'Ready' })] }), container('db', { image })];
  node.apply(...both('mooring.local/busybox:latest'));
  node.startDaemon();
  assert.ok(await node.settle());
  node.engine.calls.length = 0;
  node.apply(...both('mooring.local/busybox:2'));
  await node.clock.advance(SECOND);
  assert.deepEqual(sequence(node, 'signal', 'start'), ['signal db', 'start db', 'signal web', 'start web']);
});

test('a restarted dependency restarts what says so, once, and nothing else; a later failure touches nobody', async () => {
  const node = new SimulatedNode();
  node.apply(container('db'), container('web', { dependsOn: [on('db', { restart: true })] }), container('other', { dependsOn: [on('db')] }));
  node.startDaemon();
  assert.ok(await node.settle());
  node.engine.crash(db);
  await node.clock.advance(MINUTE);
  assert.equal(node.callsOf('start', web).length, 2);
  assert.equal(node.callsOf('start', parseContainerName('other')).length, 1);
  assert.ok(node.events.some(({ name, message }) => name === web && /default\/db runs anew/.test(message)));
  node.killDaemon();
  node.startDaemon();
  await node.clock.advance(MINUTE);
  assert.equal(node.callsOf('start', web).length, 2, 'the daemon remembers which run it began with');
  node.apply(container('db', { image: 'mooring.local/busybox:2' }));
  await node.clock.advance(MINUTE);
  assert.equal(node.callsOf('start', web).length, 3);
  node.apply(container('other', { dependsOn: [on('db', { restart: true })] }));
  await node.clock.advance(MINUTE);
  assert.equal(node.callsOf('start', parseContainerName('other')).length, 1, 'it follows from now on');
  assert.equal(ready(node, web), 'Running');
});

test('what goes at the same time is stopped in reverse, a take-down included, and nobody waits for ever', async () => {
  const slow = { endsAfterSignal: 3 * SECOND };
  const trio = [container('a', { stopTimeoutSeconds: 5 }), container('b', { dependsOn: [on('a')], stopTimeoutSeconds: 5 }), container('c', { dependsOn: [on('b')], stopTimeoutSeconds: 5 })];
  const names = trio.map(({ metadata }) => parseContainerName(metadata.name));
  const started = async (): Promise<SimulatedNode> => {
    const node = new SimulatedNode();
    for (const name of names) node.engine.programs.set(name, slow);
    node.apply(...trio);
    node.startDaemon();
    assert.ok(await node.settle());
    return node;
  };
  const pruned = await started();
  pruned.delete(...names);
  await pruned.clock.advance(SECOND);
  assert.equal(ready(pruned, names[0] as ContainerName), 'StoppingDependants');
  await pruned.clock.advance(20 * SECOND);
  assert.deepEqual(sequence(pruned, 'signal', 'remove'), ['signal c', 'remove c', 'signal b', 'remove b', 'signal a', 'remove a']);

  const down = await started();
  const done = down.reconciler.takeDown(new AbortController().signal);
  await down.clock.advance(20 * SECOND);
  assert.deepEqual(await done, []);
  assert.deepEqual(sequence(down, 'signal'), ['signal c', 'signal b', 'signal a']);

  const anew = await started();
  anew.killDaemon();
  anew.startDaemon();
  const gone = anew.reconciler.takeDown(new AbortController().signal);
  await anew.clock.advance(20 * SECOND);
  assert.deepEqual(await gone, []);
  assert.deepEqual(sequence(anew, 'signal'), ['signal c', 'signal b', 'signal a'], 'also by a daemon that has looked at nothing yet');

  const stuck = await started();
  stuck.engine.programs.set(names[2] as ContainerName, { endsAfterSignal: undefined, unkillable: true });
  stuck.delete(...names);
  await stuck.clock.advance(MINUTE);
  assert.ok(!isRunning(stuck, names[0] as ContainerName) && !isRunning(stuck, names[1] as ContainerName), 'who can not be killed holds up nobody for long');
});

test('the dry run has each wait for the other, and says what would come first; what waits for nobody is told', async () => {
  const node = new SimulatedNode();
  node.startDaemon();
  const plan = async (...documents: readonly Container[]) => {
    const [planned] = await Promise.all([node.reconciler.plan(documents, { prune: false }), node.clock.advance(SECOND)]);
    return planned.map(({ name, action, steps }) => [name, action, ...steps.map(({ reason }) => reason)].join(' '));
  };
  const both = [container('web', { dependsOn: [on('db')] }), container('db')];
  assert.deepEqual(await plan(...both), ['default/web Create WaitingForDependency NotCreated NotStarted', 'default/db Create NotCreated NotStarted']);
  assert.deepEqual(await plan(...both.slice(0, 1)), ['default/web Wait DependencyMissing']);
  await assert.rejects(plan(container('web', { dependsOn: [on('db')] }), container('db', { dependsOn: [on('web')] })), /default\/db → default\/web → default\/db/);
  assert.deepEqual(sequence(node, 'create', 'start'), []);
});

const seeds = process.env['MOORING_SIM_SEED'] === undefined ? Array.from({ length: 40 }, (_, seed) => seed) : [Number(process.env['MOORING_SIM_SEED'])];

for (const seed of seeds) {
  test(`nothing is started before what it depends on is as far as it says, and all runs in the end (seed ${seed})`, async () => {
    const random = pseudoRandom(seed);
    const node = new SimulatedNode();
    const names = ['a', 'b', 'c', 'd', 'e'];
    let disturbed = 0;
    const early: string[] = [];
    const document = (name: string, index: number) => {
      const earlier = names.slice(0, index).filter(() => random.chance(0.5));
      return container(name, {
        image: random.pick(['mooring.local/busybox:latest', 'mooring.local/busybox:2']),
        stopTimeoutSeconds: random.below(3),
        dependsOn: earlier.map((before) => on(before, { condition: random.pick(['Started', 'Ready', undefined]), restart: random.chance(0.3) })),
      });
    };
    node.engine.fault = (operation, name) => {
      if (operation === 'start' && node.clock.now() - disturbed > SECOND) {
        for (const { container: before } of node.desired().find((each) => each.name === name)?.container.spec.dependsOn ?? []) {
          if (!isRunning(node, parseContainerName(before))) early.push(`${name} before ${before}`);
        }
      }
      return random.chance(0.1) ? { kind: random.pick(['error', 'lostReply']), error: new MooringError(random.pick(['Unavailable', 'Internal']), 'an injected fault') } : undefined;
    };
    node.apply(...names.map(document));
    node.startDaemon();
    for (let deed = 0; deed < 30; deed += 1) {
      const index = random.below(names.length);
      const name = names[index] as string;
      disturbed = node.clock.now();
      random.pick([
        () => node.apply(document(name, index)),
        () => node.apply(document(name, index)),
        () => void node.engine.crash(parseContainerName(name)),
        () => node.delete(parseContainerName(name)),
        () => {
          node.killDaemon();
          if (random.chance(0.5)) node.engine.reboot();
          node.startDaemon();
        },
      ])();
      await node.clock.advance(random.pick([0, 1, 5, 50, SECOND, MINUTE]));
    }
    node.engine.fault = () => undefined;
    for (const [index, name] of names.entries()) if (!node.desired().some((each) => each.name === parseContainerName(name))) node.apply(document(name, index));
    await node.clock.advance(HOUR);
    assert.ok(await node.settle(), 'it comes to rest');
    assert.deepEqual(node.engine.violations, []);
    assert.deepEqual(early, []);
    for (const name of names) assert.ok(isRunning(node, parseContainerName(name)), `${name} runs`);
    const starts = node.callsOf('start').length;
    await node.clock.advance(2 * HOUR);
    assert.equal(node.callsOf('start').length, starts, 'a settled node is left alone');
    await node.reconciler.close();
    assert.equal(node.clock.pending, 0);
  });
}
