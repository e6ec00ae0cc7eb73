import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Drift, DriftKind } from '../../../src/engine/engine.ts';
import { account } from '../../../src/reconcile/account.ts';
import { driftPolicyOf, reportsDrift } from '../../../src/reconcile/drift.ts';
import { driftReport } from '../../../src/reconcile/drift-report.ts';
import { explain } from '../../../src/reconcile/explain.ts';
import { noFacts, type Facts } from '../../../src/reconcile/facts.ts';
import { plan } from '../../../src/reconcile/plan.ts';
import { planChanges } from '../../../src/reconcile/plan-changes.ts';
import type { Situation } from '../../../src/reconcile/situation.ts';
import { statusOf } from '../../../src/reconcile/status.ts';
import { type DriftRules, driftSchema } from '../../../src/spec/drift.ts';
import { desired, exited, none, observed, running, situation, T0 } from '../../support/reconcile-fixtures.ts';

const limits: Drift = { kind: 'Limits', message: 'pids.max is 5, want 9' };
const mounts: Drift = { kind: 'Mounts', message: '/data is not mounted' };
const files: Drift = { kind: 'Files', message: '/srv/index.html was changed, want them as in the image', who: 'sed (pid 7, uid 0), in the container' };

function rules(given: Partial<DriftRules>): { readonly drift: DriftRules } {
  return { drift: driftSchema.parse(given) };
}

function drifted(given: Partial<DriftRules>, drift: readonly Drift[], parts: Partial<Situation> = {}): Situation {
  const raw = situation({ desired: desired(rules(given)), observed: { ...observed(running), drift }, ...parts });
  return { ...raw, facts: account(raw).facts };
}

test('each kind has the policy of its own field, else the general one', () => {
  const kinds: readonly DriftKind[] = ['Process', 'Frozen', 'Limits', 'Mounts', 'Rootfs', 'Network', 'NetworkNamespace', 'Namespaces', 'Bundle', 'Image', 'Files', 'Exec'];
  const of = (given: Partial<DriftRules>): string => kinds.map((kind) => driftPolicyOf(rules(given), kind)[0]).join('');
  assert.equal(of({}), 'CCCCCCCCCCIR');
  assert.equal(of({ policy: 'Report' }), 'CRRRRRRRRRIR');
  assert.equal(of({ policy: 'Ignore' }), 'CIIIIIIIIIII');
  assert.equal(of({ policy: 'Ignore', mounts: 'Correct', network: 'Report', exec: 'Report' }), 'CIICCRRIIIIR');
  assert.equal(of({ exec: 'Ignore', files: { policy: 'Correct', allowedPaths: [] } }), 'CCCCCCCCCCCI');
  assert.deepEqual([reportsDrift(rules({})), reportsDrift(rules({ exec: 'Report' })), reportsDrift(rules({ limits: 'Report' })), reportsDrift(rules({ files: { policy: 'Report', allowedPaths: [] } }))], [false, false, true, true]);
});

test('what is only reported, or ignored, is left as it is', () => {
  const table: readonly [Partial<DriftRules>, readonly Drift[], string][] = [
    [{}, [limits], 'RestoreLimits'],
    [{ limits: 'Report' }, [limits], 'Settled'],
    [{ policy: 'Ignore' }, [limits, mounts], 'Settled'],
    [{ mounts: 'Report' }, [limits, mounts], 'RestoreLimits'],
    [{ policy: 'Report', mounts: 'Correct' }, [limits, mounts], 'Signal'],
    [{ network: 'Report' }, [{ kind: 'Network', message: 'eth0 is gone' }], 'Settled'],
    [{ files: { policy: 'Report', allowedPaths: [] } }, [files], 'Settled'],
    [{ files: { policy: 'Correct', allowedPaths: [] } }, [files], 'Signal'],
  ];
  for (const [given, drift, kind] of table) assert.equal(plan(drifted(given, drift)).kind, kind, JSON.stringify(given));
});

test('a container that somebody froze is left so where that is only reported, and is not Ready', () => {
  const frozen = { ...running, frozen: true } as const;
  const seen = drifted({ frozen: 'Report' }, [], { observed: observed(frozen) });
  assert.deepEqual([plan(seen).kind, plan(seen).reason], ['Settled', 'Frozen']);
  const { conditions } = statusOf({ situation: seen, step: plan(seen), failure: undefined, previous: undefined, now: T0 });
  assert.deepEqual(conditions.filter(({ type }) => type === 'Ready' || type === 'Drifted').map(({ type, status, reason }) => [type, status, reason]), [['Ready', 'False', 'Frozen'], ['Drifted', 'True', 'FrozenDrifted']]);
  // What spec.pause asks for is done whatever the policy.
  const wanted = situation({ desired: desired({ ...rules({ frozen: 'Ignore' }), pause: true }), observed: observed(running) });
  assert.equal(plan({ ...wanted, facts: account(wanted).facts }).kind, 'Pause');
});

test('a tag that has moved is only told of where that is what is asked for', () => {
  const image = { name: 'mooring.local/busybox:latest', isThere: true, isFresh: false, moved: { isFetched: true, message: 'it moved' } };
  assert.equal(plan(drifted({ image: 'Report' }, [{ kind: 'Image', message: 'it moved' }], { image })).kind, 'Settled');
  assert.equal(plan(drifted({}, [{ kind: 'Image', message: 'it moved' }], { image })).kind, 'Signal');
});

test('changed files are thrown away between a stop and a start, and in front of any start', () => {
  const given = { files: { policy: 'Correct' as const, allowedPaths: [] } };
  const change = planChanges(desired().name, drifted(given, [files]), undefined);
  assert.deepEqual(change.steps.map(({ kind, reason }) => [kind, reason]), [['Signal', 'FilesDrifted'], ['Reset', 'FilesDrifted'], ['Start', 'Stopped']]);
  assert.match(change.steps[1]?.message ?? '', /\/srv\/index\.html was changed.*all of its file changes are thrown away/);
  for (const process of [none, exited()]) assert.equal(plan(drifted(given, [files], { observed: { ...observed(process), drift: [files] }, now: T0 + 1e9 })).kind, 'Reset');
  assert.equal(plan(drifted({}, [files], { observed: { ...observed(none), drift: [files] } })).kind, 'Start');
});

test('restarts to put files back are spaced as other restarts to undo drift are', () => {
  const facts: Facts = { ...noFacts, specHash: desired().specHash, repairs: 3, repairAfter: T0 + 60_000 };
  assert.deepEqual([plan(drifted({ files: { policy: 'Correct', allowedPaths: [] } }, [files], { facts })).reason], ['RepairBackOff']);
});

test('reports are told once, and what is ignored from now on was not repaired', () => {
  const first = account(drifted({ limits: 'Report' }, [limits], {}));
  assert.deepEqual(first.happenings, []);
  const raw = situation({ desired: desired(rules({ limits: 'Report' })), observed: { ...observed(running), drift: [limits] } });
  assert.deepEqual(account(raw).happenings, [{ kind: 'DriftDetected', drift: limits, policy: 'Report' }]);
  const { facts } = account(raw);
  const ignoring = account({ ...raw, facts, desired: desired(rules({ limits: 'Ignore' })) });
  assert.deepEqual([ignoring.happenings, ignoring.facts.drifted, ignoring.facts.driftRecord], [[], undefined, []]);
});

test('the record says what differs, what was undone, by which step, and who made it', () => {
  const given: Partial<DriftRules> = { limits: 'Report', files: { policy: 'Report', allowedPaths: [] } };
  const found = drifted(given, [limits, files]);
  const more = account({ ...found, observed: { ...observed(running), drift: [limits, { ...files, message: 'two files' }] }, now: T0 + 10_000 }).facts;
  const undone = account({ ...found, facts: more, observed: observed(running), acted: [{ kind: 'Start', at: T0 }, { kind: 'RestoreLimits', at: T0 + 15_000 }], now: T0 + 20_000 }).facts;
  const again = account({ ...found, facts: undone, now: T0 + 30_000 }).facts;
  const { present, past } = driftReport(desired().name, again.driftRecord);
  assert.deepEqual(present.map(({ kind, count, who, foundAt }) => [kind, count, who, foundAt]), [
    ['Files', 1, files.who, new Date(T0 + 30_000).toISOString()],
    ['Limits', 2, 'unknown', new Date(T0 + 30_000).toISOString()],
  ]);
  assert.deepEqual(past.map(({ kind, message, undoneBy, undoneAt }) => [kind, message, undoneBy, undoneAt]), [['Files', 'two files', undefined, new Date(T0 + 20_000).toISOString()]]);
  assert.deepEqual(driftReport(desired().name, undone.driftRecord).past.find(({ kind }) => kind === 'Limits')?.undoneBy, 'RestoreLimits');
});

test('the record is bounded, and what still differs is the last to go', () => {
  let facts: Facts = noFacts;
  const parts = { desired: desired(rules({ policy: 'Report' })) };
  for (let index = 0; index < 100; index++) {
    facts = account(situation({ ...parts, facts, observed: { ...observed(running), drift: [mounts, { kind: 'Limits', message: `pids.max is ${index}` }] }, now: T0 + 2 * index })).facts;
    facts = account(situation({ ...parts, facts, observed: { ...observed(running), drift: [mounts] }, now: T0 + 2 * index + 1 })).facts;
  }
  assert.equal(facts.driftRecord?.length, 32);
  assert.deepEqual(facts.driftRecord.filter(({ undoneAt }) => undoneAt === undefined).map(({ kind }) => kind), ['Mounts']);
  // What is not desired any more does not differ from anything.
  assert.equal(account(situation({ facts, observed: { ...observed(running), drift: [mounts] } })).facts.driftRecord?.every(({ undoneAt }) => undoneAt !== undefined), true);
});

test('explain says of each difference what becomes of it', () => {
  const { observed: words } = explain(desired().name, drifted({ limits: 'Report', mounts: 'Ignore' }, [limits, mounts]), 'settled');
  assert.match(words, /pids\.max is 5, want 9 \(only reported, by spec\.drift\); \/data is not mounted \(ignored, by spec\.drift\)$/);
});
