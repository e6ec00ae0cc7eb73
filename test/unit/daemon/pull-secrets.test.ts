import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { pullSecretsFrom } from '../../../src/daemon/pull-secrets.ts';
import { openDesiredStore } from '../../../src/reconcile/desired-store.ts';
import { resourceHash } from '../../../src/spec/hash.ts';
import { secretSchema } from '../../../src/spec/secret.ts';

const secret = (name: string, spec: object) => secretSchema.parse({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...spec });
const open = () => openDesiredStore({ records: { list: () => [], replace: () => {} }, hashOf: resourceHash, logger: pino({ level: 'silent' }) });

test('a login to a registry comes from a Secret of its type, else from a file', async () => {
  const store = open();
  const auths = { auths: { 'registry.example': { auth: Buffer.from('me:hunter2').toString('base64') } } };
  store.apply('api', [{ resource: secret('login', { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': JSON.stringify(auths) } }), location: 'x' }, { resource: secret('plain', {}), location: 'y' }]);
  const asked: string[] = [];
  const find = pullSecretsFrom(store, (namespace, name) => {
    asked.push(`${namespace}/${name}`);
    return Promise.resolve(() => Promise.resolve(undefined));
  });
  assert.partialDeepStrictEqual(await (await find('default', 'login'))('registry.example'), { username: 'me', password: 'hunter2' });
  await find('default', 'other');
  await find('apps', 'login');
  assert.deepEqual(asked, ['default/other', 'apps/login']);
  await assert.rejects(find('default', 'plain'), { code: 'Invalid', message: 'secret default/plain is of type Opaque, and no login to a registry' });
});
