import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Drift, ObservedContainer, ObservedProcess } from '../../../src/engine/engine.ts';
import { account } from '../../../src/reconcile/account.ts';
import type { Facts, Stop, StopAsked } from '../../../src/reconcile/facts.ts';
import { plan, type Step } from '../../../src/reconcile/plan.ts';
import { FOR_EVER } from '../../../src/reconcile/stop.ts';
import { afterStep } from '../../../src/reconcile/plan-changes.ts';
import type { Situation } from '../../../src/reconcile/situation.ts';
import { creating, desired, exited, none, observed, running, T0 } from '../../support/reconcile-fixtures.ts';

const images = ['mooring.local/busybox:latest', 'mooring.local/busybox:2'];
const instants = fc.integer({ min: T0 - 600_000, max: T0 + 600_000 });

// Made once: parsing a document costs more than all that is tested here.
const wishes = images.flatMap((image) =>
  (['Always', 'OnFailure', 'Never'] as const).flatMap((restartPolicy) =>
    [false, true].flatMap((suspend) => [0, 60].map((stopTimeoutSeconds) => desired({ image, restartPolicy, suspend, stopTimeoutSeconds, pause: stopTimeoutSeconds === 60 && restartPolicy === 'OnFailure' }))),
  ),
);
const jobs = [false, true].map((suspend) => ({ ...desired({ restartPolicy: 'OnFailure', autoRemove: true, suspend }), origin: { source: 'api' as const, location: 'test' } }));
const desiredOrNot = fc.constantFrom(undefined, undefined, ...wishes, ...jobs);
const containers = images.map((image) => observed(none, { image }));

const processes: fc.Arbitrary<ObservedProcess> = fc.oneof(
  fc.constant(none),
  fc.constant(creating),
  fc.constant(running),
  fc.constant({ ...running, frozen: true } as ObservedProcess),
  fc.record({ exitCode: fc.integer({ min: 0, max: 255 }), finishedAt: instants }).map(({ exitCode, finishedAt }) => exited({ exitCode, finishedAt, startedAt: finishedAt - 1_000 })),
);

const drifts: fc.Arbitrary<Drift[]> = fc
  .subarray(['Limits', 'Mounts', 'Rootfs', 'Bundle', 'Network'] as const)
  .map((kinds) => kinds.map((kind) => ({ kind, message: `${kind} differ` })));

const observedOrNot: fc.Arbitrary<ObservedContainer | undefined> = fc.option(
  fc.tuple(fc.constantFrom(...containers), processes, drifts).map(([container, process, drift]) => ({ ...container, process, drift })),
  { nil: undefined },
);

const observedId = observed(none).id;
const wantedHash = desired().specHash;

const stops: fc.Arbitrary<Stop> = fc
  .record({ cause: fc.constantFrom('Undesired', 'Suspended', 'Asked', 'SpecChanged', 'Drift'), signal: fc.constantFrom(undefined, 'SIGTERM', 'SIGINT'), requestedAt: instants, kills: fc.integer({ min: 0, max: 5 }) })
  .map(({ signal, ...stop }) => ({ ...stop, ...(signal && { signal }), id: observedId, deadline: stop.requestedAt + 10_000 }));

const stopsAsked: fc.Arbitrary<StopAsked> = fc
  .record({ init: fc.constantFrom({ pid: 100, startTime: 1 }, { pid: 100, startTime: 2 }), askedAt: instants, signal: fc.constantFrom(undefined, 'SIGINT'), graceSeconds: fc.constantFrom(undefined, 0, 5, FOR_EVER) })
  .map(({ signal, graceSeconds, ...stop }) => ({ ...stop, id: observedId, ...(signal && { signal }), ...(graceSeconds !== undefined && { graceSeconds }) }));

const facts: fc.Arbitrary<Facts> = fc
  .record(
    {
      restartCount: fc.nat(50),
      crashes: fc.nat(50),
      backoffUntil: instants,
      countedExit: instants,
      exitAsked: fc.boolean(),
      completed: fc.boolean(),
      specHash: fc.constantFrom(wantedHash, 'another'),
      repairs: fc.nat(20),
      repairAfter: instants,
      stop: stops,
      begun: fc.constant(observedId),
      paused: fc.constantFrom({ pid: 100, startTime: 1 }, { pid: 100, startTime: 2 }),
      made: fc.constant(true as const),
      runAsked: fc.oneof(fc.constant({}), instants.map((endedAt) => ({ endedAt }))),
      stopAsked: stopsAsked,
      drifted: fc.subarray(['Process', 'Limits', 'Mounts'] as const),
    },
    { requiredKeys: ['restartCount', 'crashes'] },
  )
  .map((known) => known as Facts);

const situations: fc.Arbitrary<Situation> = fc.record({ desired: desiredOrNot, observed: observedOrNot, facts, now: instants });

function next(situation: Situation): { readonly situation: Situation; readonly step: Step } {
  const known = { ...situation, facts: account(situation).facts };
  return { situation: known, step: plan(known) };
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(deepFreeze);
}

test('from whatever situation, a world that does as told comes to an end that nothing follows', () => {
  fc.assert(
    fc.property(situations, (start) => {
      let { situation, step } = next(start);
      for (let steps = 0; step.kind !== 'Settled' && step.kind !== 'Forget'; steps += 1) {
        assert.ok(steps < 16, `still at ${step.kind}: ${step.message}`);
        ({ situation, step } = next(afterStep(situation, step)));
      }
      assert.deepEqual(next(situation).step, step);
      const { desired: wish, observed: there } = situation;
      assert.equal(step.kind === 'Forget', wish === undefined);
      if (wish === undefined) assert.equal(there, undefined);
      else if (wish.container.spec.suspend) assert.notEqual(there?.process.state, 'Running');
      else if (wish.container.spec.restartPolicy === 'Always') assert.equal(there?.process.state, 'Running');
      if (there?.process.state === 'Running') assert.deepEqual([there.specHash, there.drift], [wish?.specHash, []]);
    }),
    { numRuns: 2_000 },
  );
});

test('no step fits a situation that it would do harm in', () => {
  fc.assert(
    fc.property(situations, (start) => {
      const { situation, step } = next(start);
      const state = situation.observed?.process.state;
      const { spec } = situation.desired?.container ?? {};
      switch (step.kind) {
        case 'PullImage':
        case 'BuildImage':
          assert.equal(step.image, spec?.image);
          assert.notEqual(situation.observed?.specHash, situation.desired?.specHash);
          break;
        case 'Create':
          assert.equal(situation.observed, undefined);
          break;
        case 'Start':
          assert.ok(state === 'None' || state === 'Exited');
          assert.equal(situation.observed?.specHash, situation.desired?.specHash);
          assert.equal(spec?.suspend, false);
          break;
        case 'Remove':
        case 'Reset':
          assert.ok(state === 'None' || state === 'Exited');
          break;
        case 'Signal':
        case 'Pause':
        case 'Resume':
        case 'RestoreLimits':
        case 'RestoreNetwork':
          assert.equal(state, 'Running');
          break;
        case 'Update':
          assert.notEqual(situation.observed?.specHash, situation.desired?.specHash);
          assert.notEqual(state, 'Creating');
          break;
        case 'Kill':
          assert.ok(state === 'Running' || state === 'Creating');
          break;
        case 'Wait':
          assert.ok(step.until > situation.now, 'a wait ends later');
          break;
        case 'Release':
          assert.ok(spec?.autoRemove === true && (state === 'Exited' || state === 'None'));
          break;
        case 'Settled':
        case 'Forget':
          break;
      }
      assert.match(step.reason, /^[A-Z][A-Za-z]+$/);
      assert.notEqual(step.message, '');
    }),
    { numRuns: 5_000 },
  );
});

test('planning and accounting change nothing they are given, say the same twice, and count an end once', () => {
  fc.assert(
    fc.property(situations, (start) => {
      deepFreeze(start);
      const first = account(start);
      assert.deepEqual(account(start), first);
      const known = { ...start, facts: first.facts };
      assert.deepEqual(plan(known), plan(known));
      const second = account(known);
      assert.deepEqual(second.happenings, []);
      assert.equal(second.facts, first.facts, 'facts that nothing was added to are the same object, so that they are not written again');
    }),
    { numRuns: 2_000 },
  );
});
