import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import type { DesiredRecord as Row } from '../../../src/engine/store/desired-records.ts';
import type { Declared, ResourceKey, SourceName } from '../../../src/reconcile/desired.ts';
import { openDesiredStore } from '../../../src/reconcile/desired-store.ts';
import { containerSchema } from '../../../src/spec/container.ts';
import { parseContainerName, type ResourceName } from '../../../src/spec/name.ts';
import { contentOf, type Resource } from '../../../src/spec/resource.ts';

type DesiredRecord = Row<SourceName>;

/** Records in memory that count their transactions and can be made to fail. */
class MemoryRecords {
  readonly rows = new Map<string, DesiredRecord>();
  writes = 0;
  failWith: Error | undefined;

  list(): DesiredRecord[] {
    return [...this.rows.values()];
  }

  replace(change: { readonly put: readonly DesiredRecord[]; readonly delete: readonly ResourceKey[] }): void {
    if (this.failWith !== undefined) throw this.failWith;
    this.writes += 1;
    for (const row of change.put) this.rows.set(row.name, row);
    for (const { name } of change.delete) this.rows.delete(name);
  }
}

const logger = pino({ level: 'silent' });
const hashOf = (resource: Resource): string => JSON.stringify(contentOf(resource));
const web = parseContainerName('web');
const worker = parseContainerName('worker');

function open(records = new MemoryRecords()) {
  const store = openDesiredStore({ records, hashOf, logger });
  const told: ResourceName[][] = [];
  store.subscribe((changed) => told.push(changed.map(({ name }) => name)));
  return { store, records, told };
}

function declared(name: string, spec: object = {}, location = `${name}.yaml:1:1`, labels: Record<string, string> = {}): Declared {
  const document = { apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name, labels }, spec: { image: 'busybox', ...spec } };
  return { resource: containerSchema.parse(document), location };
}

test('what a source no longer declares is no longer desired', () => {
  const { store, told } = open();
  assert.deepEqual(store.replaceSource('directory', [declared('web'), declared('worker')]), []);
  store.replaceSource('directory', [declared('worker')]);
  assert.equal(store.get(web), undefined);
  assert.equal(store.get(worker)?.generation, 1);
  assert.deepEqual(told, [[web, worker], [web]]);
});

test('generation rises with each change of spec, and with nothing else', () => {
  const { store } = open();
  store.replaceSource('directory', [declared('web')]);
  const first = store.get(web);
  store.replaceSource('directory', [declared('web', {}, 'web.yaml:1:1', { tier: 'front' })]);
  assert.equal(store.get(web)?.generation, 1);
  assert.equal(store.get(web)?.container.metadata.labels['tier'], 'front');
  store.replaceSource('directory', [declared('web', { suspend: true })]);
  assert.equal(store.get(web)?.generation, 2);
  assert.notEqual(store.get(web)?.specHash, first?.specHash);
  store.replaceSource('directory', [declared('web')]);
  assert.equal(store.get(web)?.generation, 3);
});

test('nothing changed: no write, no notification, the same object', () => {
  const { store, records, told } = open();
  store.replaceSource('directory', [declared('web', { env: [{ name: 'A', value: '1' }] })]);
  const before = store.get(web);
  store.replaceSource('directory', [declared('web', { env: [{ value: '1', name: 'A' }] })]);
  store.apply('directory', [declared('web', { env: [{ name: 'A', value: '1' }] })]);
  assert.equal(store.get(web), before);
  assert.equal(records.writes, 1);
  assert.equal(told.length, 1);
});

test('a name stays with the source that had it first, and the second is told where', () => {
  const { store } = open();
  store.apply('api', [declared('web', {}, 'docker run')]);
  const problems = store.replaceSource('directory', [declared('web', { tty: true }, 'sites/web.yaml:3:1'), declared('worker')]);
  assert.equal(problems.length, 1);
  assert.equal(problems[0]?.file, 'sites/web.yaml');
  assert.equal(problems[0]?.at, 'sites/web.yaml:3:1');
  assert.equal(problems[0]?.name, web);
  assert.match(problems[0]?.message ?? '', /source api \(docker run\)/);
  assert.equal(store.get(web)?.origin.source, 'api');
  assert.equal(store.get(web)?.container.spec.tty, false);
  assert.ok(store.get(worker));
  store.replaceSource('directory', []);
  assert.ok(store.get(web), 'a source that never held the name must not remove it');
});

test('a name declared twice by one source: the first stays, the second is reported with both places', () => {
  const { store } = open();
  const problems = store.replaceSource('directory', [declared('web', {}, 'a.yaml:1:1'), declared('web', { tty: true }, 'b.yaml:9:1')]);
  assert.equal(store.get(web)?.origin.location, 'a.yaml:1:1');
  assert.equal(problems[0]?.at, 'b.yaml:9:1');
  assert.match(problems[0]?.message ?? '', /a\.yaml:1:1/);
});

test('apply is all or nothing', () => {
  const { store, records } = open();
  store.replaceSource('directory', [declared('web')]);
  assert.throws(() => store.apply('api', [declared('worker'), declared('web')]), { code: 'Conflict', message: /source directory \(web\.yaml:1:1\)/ });
  assert.throws(() => store.apply('api', [declared('worker'), declared('worker')]), { code: 'Invalid' });
  assert.equal(store.get(worker), undefined);
  assert.equal(records.writes, 1);
  assert.deepEqual(
    store.apply('api', [declared('worker')]).map(({ name, generation }) => [name, generation]),
    [[worker, 1]],
  );
});

test('delete wants the holder', () => {
  const { store } = open();
  store.replaceSource('directory', [declared('web')]);
  assert.throws(() => store.delete('api', [{ kind: 'Container', name: web }]), { code: 'Conflict' });
  assert.throws(() => store.delete('api', [{ kind: 'Container', name: worker }]), { code: 'NotFound' });
  store.delete('directory', [{ kind: 'Container', name: web }]);
  assert.equal(store.get(web), undefined);
});

test('after a restart the last good state is there before any source has spoken', () => {
  const { store, records } = open();
  store.replaceSource('directory', [declared('web', { resources: { memory: '64Mi' } })]);
  store.replaceSource('directory', [declared('web', { resources: { memory: '32Mi' } })]);
  const again = open(records);
  assert.deepEqual(again.store.list(), store.list());
  assert.equal(again.store.get(web)?.generation, 2);
  again.store.replaceSource('directory', [declared('web', { resources: { memory: '32Mi' } })]);
  assert.equal(records.writes, 2, 'the same state again is not written again');
});

test('a later hash function does not make unchanged specs new', () => {
  const { store, records } = open();
  store.replaceSource('directory', [declared('web')]);
  const later = openDesiredStore({ records, hashOf: () => 'v2', logger });
  later.replaceSource('directory', [declared('web')]);
  assert.equal(later.get(web)?.specHash, store.get(web)?.specHash);
  assert.equal(later.get(web)?.generation, 1);
});

test('a stored document that no longer validates stays in force; one that is no JSON is refused', () => {
  const records = new MemoryRecords();
  open(records).store.replaceSource('directory', [declared('web')]);
  const row = records.rows.get(web);
  assert.ok(row);
  records.rows.set(web, { ...row, document: row.document.replace('"tty":false', '"tty":"no"') });
  assert.equal(open(records).store.get(web)?.container.spec.image, 'busybox');
  records.rows.set(web, { ...row, document: '{' });
  assert.throws(() => open(records), { code: 'Internal', message: /default\/web/ });
});

test('a failing write changes nothing and tells nobody', () => {
  const { store, records, told } = open();
  store.replaceSource('directory', [declared('web')]);
  records.failWith = new Error('disk full');
  assert.throws(() => store.replaceSource('directory', [declared('worker')]), /disk full/);
  assert.ok(store.get(web));
  assert.equal(store.get(worker), undefined);
  assert.equal(told.length, 1);
});

test('subscribers are told after the commit, and one that fails harms nobody', () => {
  const { store, records } = open();
  const seen: unknown[] = [];
  store.subscribe(() => {
    throw new Error('listener');
  });
  const unsubscribe = store.subscribe(([key]) => seen.push(key && [records.rows.has(key.name), store.getOf(key.kind, key.name)?.name]));
  store.apply('api', [declared('web')]);
  assert.deepEqual(seen, [[true, web]]);
  unsubscribe();
  store.delete('api', [{ kind: 'Container', name: web }]);
  assert.equal(seen.length, 1);
});
