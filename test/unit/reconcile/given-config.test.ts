import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configChange } from '../../../src/reconcile/config-change.ts';
import { type ConfigLookup, takeConfig } from '../../../src/reconcile/given-config.ts';
import { configMapSchema } from '../../../src/spec/config-map.ts';
import { containerSchema } from '../../../src/spec/container.ts';
import { type ConfigResource, resourceName } from '../../../src/spec/resource.ts';
import { secretSchema } from '../../../src/spec/secret.ts';
import { observed, running } from '../../support/reconcile-fixtures.ts';

const PASSWORD = 'hunter2-hunter2';

function configMap(name: string, data: Record<string, string>, binaryData: Record<string, string> = {}) {
  return configMapSchema.parse({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data, binaryData });
}

function secret(name: string, data: Record<string, string | Buffer>) {
  return secretSchema.parse({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])) });
}

function among(...resources: ConfigResource[]): ConfigLookup {
  return ({ kind, name }) => resources.find((each) => each.kind === kind && resourceName(each) === name);
}

function container(spec: object) {
  return containerSchema.parse({ apiVersion: 'mooring.dev/v1alpha1', kind: 'Container', metadata: { name: 'web' }, spec: { image: 'mooring.local/busybox', ...spec } });
}

const web = configMap('web', { MODE: 'fast', 'a.conf': 'x' }, { logo: 'AAE=' });
const db = secret('db', { password: PASSWORD, MODE: 'slow' });

test('variables: envFrom in its order, env over it, and bytes of a ConfigMap are none', () => {
  const { given, unmet } = takeConfig(
    container({
      envFrom: [{ configMapRef: { name: 'web' } }, { prefix: 'DB_', secretRef: { name: 'db' } }, { secretRef: { name: 'none', optional: true } }],
      env: [{ name: 'PASS', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }, { name: 'MODE', value: 'own' }, { name: 'GONE', valueFrom: { configMapKeyRef: { name: 'web', key: 'no', optional: true } } }],
    }),
    among(web, db),
  );
  assert.deepEqual(unmet, []);
  assert.deepEqual(given?.env, [{ name: 'MODE', value: 'own' }, { name: 'a.conf', value: 'x' }, { name: 'DB_password', value: PASSWORD }, { name: 'DB_MODE', value: 'slow' }, { name: 'PASS', value: PASSWORD }]);
  assert.deepEqual(Object.fromEntries(Object.entries(given?.digests ?? {}).map(([source, keys]) => [source, Object.keys(keys).toSorted()])), { 'configmap default/web': ['MODE', 'a.conf'], 'secret default/db': ['MODE', 'password'] });
});

test('mounts: all keys, chosen ones with modes, and several in one folder', () => {
  const mounts = [
    { mountPath: '/all', configMap: { name: 'web', defaultMode: '0444' } },
    { mountPath: '/some', secret: { name: 'db', items: [{ key: 'password', path: 'sub/pass', mode: '0400' }], uid: 7 } },
    { mountPath: '/both', projected: { sources: [{ configMap: { name: 'web', items: [{ key: 'MODE', path: 'mode' }] } }, { secret: { name: 'db', items: [{ key: 'MODE', path: 'mode' }] } }] } },
  ];
  const { given } = takeConfig(container({ mounts }), among(web, db));
  assert.deepEqual(given?.mounts.map(({ mountPath, uid, files }) => [mountPath, uid, files.map(({ path, mode, content }) => `${path} ${mode.toString(8)} ${content.toString('latin1')}`)]), [
    ['/all', 0, ['MODE 444 fast', 'a.conf 444 x', 'logo 444 \u0000\u0001']],
    ['/both', 0, ['mode 644 slow']],
    ['/some', 7, [`sub/pass 400 ${PASSWORD}`]],
  ].toSorted((a, b) => mounts.findIndex(({ mountPath }) => mountPath === a[0]) - mounts.findIndex(({ mountPath }) => mountPath === b[0])));
});

test('what is missing is waited for, each once, and what can not be used is told without its value', () => {
  const unmetOf = (spec: object, ...resources: ConfigResource[]) => takeConfig(container(spec), among(...resources)).unmet.map(({ reason, message }) => `${reason}: ${message}`);
  const pass = { name: 'PASS', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } };
  const mode = { name: 'MODE', valueFrom: { configMapKeyRef: { name: 'web', key: 'mode' } } };
  assert.deepEqual(unmetOf({ env: [pass, mode], mounts: [{ mountPath: '/x', secret: { name: 'db' } }] }, web), [
    'SecretMissing: it waits for secret default/db, which nobody has declared; declare a Secret of that name, or take it out of the container',
    'ConfigMapKeyMissing: it waits for the key "mode" of configmap default/web, which has no such key; add it there, or take it out of the container',
  ]);
  for (const [value, why] of [['a\0b', /holds a NUL byte/], [Buffer.from([0xff, 0xfe]), /is not text in UTF-8/], ['x'.repeat(140_000), /is 140000 bytes long/]] as const) {
    const [told = '', ...more] = unmetOf({ env: [pass] }, secret('db', { password: value }));
    assert.deepEqual(more, []);
    assert.match(told, /^SecretUnusable: it can't use secret default\/db: its key "password" /);
    assert.match(told, why);
  }
  assert.match(unmetOf({ mounts: [{ mountPath: '/x', configMap: { name: 'web', subPath: 'b.conf' } }] }, web)[0] ?? '', /there is no b\.conf in what \/x is to show/);
  assert.match(unmetOf({ mounts: [{ mountPath: '/x', configMap: { name: 'web', items: [{ key: 'MODE', path: 'a' }, { key: 'a.conf', path: 'a/b' }] } }] }, web)[0] ?? '', /a is to be both a file and a folder/);
});

test('a change is told by what it is of and its keys; what is missing is none', () => {
  const wants = container({ envFrom: [{ configMapRef: { name: 'web' } }, { secretRef: { name: 'db', optional: true } }] });
  const digests = (...resources: ConfigResource[]) => takeConfig(wants, among(...resources)).given?.digests;
  const before = { ...observed(running), config: digests(web, db) ?? {} };
  assert.equal(configChange({ observed: before, config: digests(web, db) }), undefined);
  assert.equal(configChange({ observed: before, config: digests(configMap('web', { MODE: 'fast', 'a.conf': 'x' }), secret('db', { password: PASSWORD, MODE: 'slow' })) }), undefined);
  assert.equal(configChange({ observed: before, config: digests(configMap('web', { MODE: 'slow', 'b.conf': 'x' }), db) }), 'configmap default/web changed: MODE, a.conf is gone, b.conf is new');
  assert.equal(configChange({ observed: before, config: digests(web) }), 'secret default/db is not there any more');
  assert.equal(configChange({ observed: before, config: digests(db) }), undefined);
  assert.equal(takeConfig(container({}), among()).given, undefined);
});
