import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createActor } from 'xstate';
import { MooringError } from '../../../src/lib/errors.ts';
import { createContainerMachine, type MachineState } from '../../../src/reconcile/machine.ts';
import type { Step } from '../../../src/reconcile/plan.ts';
import { parseContainerName } from '../../../src/spec/name.ts';
import { SimulatedClock } from '../../support/simulated-clock.ts';

const name = parseContainerName('web');
const because = { reason: 'Because', message: 'of a test' };
const settled: Step = { kind: 'Settled', ...because };
const create: Step = { kind: 'Create', ...because };

/** An actor whose looks give `steps` one after the other, then `last` for ever. */
function actorOver(steps: (Step | Error)[], last: Step | Error = settled, act: (step: Step) => Promise<void> = () => Promise.resolve()) {
  const clock = new SimulatedClock();
  const visited: MachineState[] = [];
  const acted: Step['kind'][] = [];
  let enqueued = 0;
  const machine = createContainerMachine({
    clock,
    enqueue: () => void (enqueued += 1),
    look: async () => {
      const next = steps.shift() ?? last;
      if (next instanceof Error) throw next;
      return next;
    },
    act: (_, step) => {
      acted.push(step.kind);
      return act(step);
    },
  });
  const actor = createActor(machine, { input: { name }, clock });
  actor.subscribe({ next: ({ value }) => void visited.push(value), error: (error) => assert.fail(String(error)) });
  actor.start();
  return { actor, clock, visited, acted, machine, enqueued: () => enqueued };
}

test('every state is reached, each by the step that is named so', async () => {
  const steps: Step[] = [
    { kind: 'PullImage', image: 'redis', ...because },
    { kind: 'BuildImage', image: 'redis', ...because },
    create,
    { kind: 'Start', ...because },
    { kind: 'Release', ...because },
    { kind: 'Pause', ...because },
    { kind: 'Resume', ...because },
    { kind: 'Update', ...because },
    { kind: 'RestoreLimits', ...because },
    { kind: 'RestoreNetwork', ...because },
    { kind: 'Reset', ...because },
    { kind: 'Signal', signal: 'SIGTERM', cause: 'Undesired', ...because },
    { kind: 'Kill', cause: 'Undesired', ...because },
    { kind: 'Remove', ...because },
    settled,
    { kind: 'Wait', until: Date.UTC(2026, 0, 1) + 500, ...because },
    { kind: 'Forget', ...because },
  ];
  const { actor, clock, visited, machine, enqueued } = actorOver([new Error('no'), ...steps]);
  const seen = new Set<string>([actor.getSnapshot().value]);
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.equal(actor.getSnapshot().value, 'failed');
  for (let turn = 0; turn < 3; turn += 1) {
    await clock.advance(500);
    actor.send({ type: 'LOOK' });
    await clock.flush();
  }
  for (const state of visited) seen.add(state);
  assert.equal(actor.getSnapshot().status, 'done');
  assert.ok(enqueued() >= 2, 'the retry and the wait asked for a turn');
  // `deciding` is left in the moment it is entered, so no snapshot shows it.
  assert.deepEqual([...seen, 'deciding'].toSorted(), Object.keys(machine.root.states).toSorted());
});

test('a LOOK while the world is being read makes it read again before it rests', async () => {
  const { actor, clock, visited } = actorOver([settled, settled]);
  actor.send({ type: 'LOOK' });
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.equal(visited.filter((state) => state === 'observing').length, 3, 'entered, told, entered again');
  assert.equal(actor.getSnapshot().value, 'settled');
});

test('the world is read again after each effect', async () => {
  const { actor, clock, visited, acted } = actorOver([create, { kind: 'Start', ...because }, settled]);
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.deepEqual(visited, ['queued', 'observing', 'creating', 'observing', 'starting', 'observing', 'settled']);
  assert.deepEqual(acted, ['Create', 'Start']);
});

test('a failed effect is not repeated before its retry is due, whoever says LOOK; DESIRED_CHANGED repeats it at once', async () => {
  const { actor, clock, acted } = actorOver([], create, () => Promise.reject(new MooringError('NotFound', 'no such image')));
  actor.send({ type: 'LOOK' });
  await clock.flush();
  for (let hint = 0; hint < 5; hint += 1) {
    actor.send({ type: 'LOOK' });
    await clock.flush();
  }
  assert.equal(acted.length, 1);
  assert.equal(actor.getSnapshot().context.failure?.message, 'no such image');
  await clock.advance(10_000);
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.equal(acted.length, 2);
  assert.equal(actor.getSnapshot().context.failure?.count, 2);
  actor.send({ type: 'DESIRED_CHANGED' });
  await clock.flush();
  assert.equal(acted.length, 3);
  assert.equal(actor.getSnapshot().context.failure?.count, 1);
});

test('an unexpected error is retried after 5 ms, doubling', async () => {
  const { actor, clock } = actorOver([], new Error('no'));
  const delays: number[] = [];
  actor.send({ type: 'LOOK' });
  await clock.flush();
  for (let turn = 0; turn < 4; turn += 1) {
    const { failure } = actor.getSnapshot().context;
    delays.push((failure?.until ?? 0) - clock.now());
    await clock.advance(delays.at(-1) ?? 0);
    actor.send({ type: 'LOOK' });
    await clock.flush();
  }
  assert.deepEqual(delays, [5, 10, 20, 40]);
});

test('a step without effect ends in failed instead of a hot loop', async () => {
  const { actor, clock, acted } = actorOver([], { kind: 'RestoreLimits', ...because });
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.equal(actor.getSnapshot().value, 'failed');
  assert.equal(acted.length, 2);
});

test('a resting actor holds no timer, and a stopped one neither', async () => {
  const { actor, clock } = actorOver([settled, { kind: 'Wait', until: Date.UTC(2027, 0, 1), ...because }]);
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.equal(clock.pending, 0);
  actor.send({ type: 'LOOK' });
  await clock.flush();
  assert.equal(clock.pending, 1);
  actor.stop();
  assert.equal(clock.pending, 0);
});
