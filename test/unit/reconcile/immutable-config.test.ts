import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { openDesiredStore } from '../../../src/reconcile/desired-store.ts';
import { resourceHash } from '../../../src/spec/hash.ts';
import type { SecretName } from '../../../src/spec/name.ts';
import { secretSchema } from '../../../src/spec/secret.ts';

const secret = (name: string, spec: object) => secretSchema.parse({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...spec });
const open = () => openDesiredStore({ records: { list: () => [], replace: () => {} }, hashOf: resourceHash, logger: pino({ level: 'silent' }) });
const key = { kind: 'Secret', name: 'default/db' as SecretName } as const;

test('an immutable Secret keeps its data until it is deleted, whoever asks for other', () => {
  const store = open();
  const [first, other] = [secret('db', { stringData: { a: '1' }, immutable: true }), secret('db', { stringData: { a: '2' }, immutable: true })];
  const held = () => store.getOf('Secret', key.name)?.secret.data['a'];
  store.apply('api', [{ resource: first, location: 'x:1:1' }]);
  store.apply('api', [{ resource: { ...first, metadata: { ...first.metadata, labels: { a: 'b' } } }, location: 'x:1:1' }]);
  assert.throws(() => store.apply('api', [{ resource: other, location: 'x:1:1' }]), { code: 'Invalid', message: 'secret default/db is immutable: its data can not be changed' });
  assert.equal(held(), 'MQ==');
  store.delete('api', [key]);
  assert.deepEqual(store.replaceSource('directory', [{ resource: first, location: 'f.yaml:1:1' }]), []);
  const problems = store.replaceSource('directory', [{ resource: other, location: 'f.yaml:3:1' }]);
  assert.partialDeepStrictEqual(problems, [{ file: 'f.yaml', at: 'f.yaml:3:1', field: 'immutable', kind: 'Secret', name: 'default/db' }]);
  assert.equal(held(), 'MQ==');
});
