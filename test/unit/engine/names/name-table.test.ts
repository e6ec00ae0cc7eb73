import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NamedEndpoint } from '../../../../src/engine/names/endpoint.ts';
import { fullName, NameTable } from '../../../../src/engine/names/name-table.ts';
import type { ContainerId } from '../../../../src/engine/engine.ts';
import type { ContainerName } from '../../../../src/spec/name.ts';

let last = 0;

function endpoint(name: string, address: string, more: Partial<NamedEndpoint> = {}): NamedEndpoint {
  last += 1;
  return { id: last.toString(16).padStart(12, '0').padEnd(64, '0') as ContainerId, name: name as ContainerName, addresses: [address], aliases: [], links: [], servers: [], ...more };
}

test('a container is known by its name in its namespace, and by its full name everywhere', () => {
  const table = new NameTable();
  const [web, db, other] = [endpoint('shop/web', '10.0.0.2'), endpoint('shop/db', '10.0.0.3', { aliases: ['Postgres'] }), endpoint('blog/db', '10.0.0.4')];
  for (const each of [web, db, other]) table.join(each);
  assert.deepEqual(table.find('db', web), ['10.0.0.3']);
  assert.deepEqual(table.find('DB', other), ['10.0.0.4']);
  assert.deepEqual(table.find('postgres', web), ['10.0.0.3']);
  assert.equal(table.find('postgres', other), undefined);
  for (const name of ['db.blog', 'db.blog.mooring.internal']) assert.deepEqual(table.find(name, web), ['10.0.0.4']);
  assert.equal(table.find('db', undefined), undefined);
  assert.deepEqual(table.find(db.id.slice(0, 12), undefined), ['10.0.0.3']);
  assert.equal(fullName(db), 'db.shop.mooring.internal');
});

test('names with dots in them are names as all others', () => {
  const table = new NameTable();
  const [web, dotted] = [endpoint('shop/web', '10.0.0.2'), endpoint('shop/db.v2', '10.0.0.3')];
  for (const each of [web, dotted]) table.join(each);
  assert.deepEqual(table.find('db.v2', web), ['10.0.0.3']);
  assert.deepEqual(table.find('db.v2.shop.mooring.internal', web), ['10.0.0.3']);
});

test('those who share an alias take turns', () => {
  const table = new NameTable();
  const asker = endpoint('shop/web', '10.0.0.9');
  table.join(asker);
  const replicas = ['a', 'b', 'c'].map((name, index) => endpoint(`shop/${name}`, `10.0.0.${index + 2}`, { aliases: ['api'] }));
  for (const each of replicas) table.join(each);
  const first = [0, 1, 2, 3].map(() => table.find('api', asker)?.[0]);
  assert.deepEqual(first, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.2']);
  table.leave(replicas[0]?.id as ContainerId);
  assert.deepEqual(new Set(table.find('api', asker)), new Set(['10.0.0.3', '10.0.0.4']));
  for (const each of replicas.slice(1)) table.leave(each.id);
  assert.equal(table.find('api', asker), undefined);
});

test('a link is a name of the asker alone', () => {
  const table = new NameTable();
  const db = endpoint('shop/postgres-14', '10.0.0.3');
  const web = endpoint('shop/web', '10.0.0.2', { links: [{ container: 'postgres-14', alias: 'db' }] });
  const other = endpoint('shop/other', '10.0.0.4');
  for (const each of [db, web, other]) table.join(each);
  assert.deepEqual(table.find('db', web), ['10.0.0.3']);
  assert.equal(table.find('db', other), undefined);
});

test('whoever joins again is known by what it is called now', () => {
  const table = new NameTable();
  const before = endpoint('shop/db', '10.0.0.3', { aliases: ['old'] });
  const asker = endpoint('shop/web', '10.0.0.2');
  table.join(asker);
  table.join(before);
  table.join({ ...before, addresses: ['10.0.0.7'], aliases: ['new'] });
  assert.equal(table.find('old', asker), undefined);
  assert.deepEqual(table.find('new', asker), ['10.0.0.7']);
  assert.equal(table.at('10.0.0.3'), undefined);
  assert.equal(table.at('10.0.0.7')?.id, before.id);
  table.leave(before.id);
  assert.equal(table.find('db', asker), undefined);
});
