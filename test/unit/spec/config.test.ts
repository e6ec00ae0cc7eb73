import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configChanged } from '../../../src/spec/hash.ts';
import { parseDocuments } from '../../../src/spec/parse.ts';

const VALUE = 'hunter2-hunter2';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

function configMap(body: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  creationTimestamp: null\n  name: web\n${body}`;
}

function secret(body: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n${body}`;
}

function only(text: string) {
  const { documents, problems } = parseDocuments(text, 'f.yaml');
  assert.deepEqual(problems, []);
  assert.equal(documents.length, 1);
  return documents[0]?.resource ?? assert.fail();
}

function problemsOf(text: string): string[] {
  const { documents, problems } = parseDocuments(text, 'f.yaml');
  assert.deepEqual(documents, []);
  return problems.map(({ at, field, message, fix }) => `${at} ${field}: ${message}${fix === undefined ? '' : ` (${fix})`}`);
}

test('a ConfigMap as kubectl prints it', () => {
  const resource = only(configMap(`data:\n  a.conf: |\n    listen 80;\nbinaryData:\n  logo: ${base64('\u0000\u0001')}\n`));
  assert.partialDeepStrictEqual(resource, { kind: 'ConfigMap', metadata: { name: 'web', namespace: 'default' }, data: { 'a.conf': 'listen 80;\n' }, binaryData: { logo: 'AAE=' }, immutable: false });
});

test('the texts of a Secret go into its data, over what is there; line breaks in base64 say nothing', () => {
  const wrapped = base64(VALUE).replace(/(.{8})/g, '$1\n    ');
  const resource = only(secret(`data:\n  password: |\n    ${wrapped}\n  user: ${base64('old')}\nstringData:\n  user: new\n`));
  assert.partialDeepStrictEqual(resource, { kind: 'Secret', type: 'Opaque', data: { password: base64(VALUE), user: base64('new') }, stringData: {} });
});

test('what is wrong is told at its place', () => {
  assert.deepEqual(problemsOf(configMap('data:\n  ..: x\n  "a b": y\n')), [
    'f.yaml:7:3 data[".."]: the key ".." is not one: letters, digits, "-", "_" and ".", not beginning with ".."',
    'f.yaml:8:3 data["a b"]: the key "a b" is not one: letters, digits, "-", "_" and ".", not beginning with ".."',
  ]);
  assert.deepEqual(problemsOf(configMap('data: {a: x}\nbinaryData: {a: eA==}\n')), ['f.yaml:7:17 binaryData.a: is in data, too (keep one of the two)']);
  assert.deepEqual(problemsOf(configMap('spec: {}\n')), ['f.yaml:6:1 spec: unknown field (the fields here are apiVersion, kind, metadata, data, binaryData and immutable)']);
  assert.match(problemsOf(configMap(`data:\n${'ab'.split('').map((key) => `  ${key}: ${'x'.repeat(600_000)}\n`).join('')}`))[0] ?? '', /is 1200\d+ bytes long, at most 1048576 are read|hold/);
  assert.deepEqual(problemsOf(secret('type: kubernetes.io/tls\ndata: {tls.crt: ""}\n')), ['f.yaml:6:7 data: has no tls.key, which type kubernetes.io/tls asks for']);
  assert.deepEqual(problemsOf(secret('type: kubernetes.io/dockerconfigjson\nstringData: {.dockerconfigjson: "no"}\n')).length, 1);
});

test('an apiVersion of the other group is told, and which kinds there are of it', () => {
  assert.deepEqual(problemsOf('apiVersion: mooring.dev/v1alpha1\nkind: Secret\nmetadata: {name: a}\n'), ['f.yaml:1:13 apiVersion: is not that of a Secret (write v1)']);
  assert.deepEqual(problemsOf('apiVersion: v1\nkind: Volume\nmetadata: {name: a}\n'), ['f.yaml:1:13 apiVersion: is not that of a Volume (write mooring.dev/v1alpha1)']);
  assert.deepEqual(problemsOf('apiVersion: v1\nkind: Secrets\nmetadata: {name: a}\n'), ['f.yaml:2:7 kind: "Secrets" is not known here (did you mean Secret?)']);
});

test('what SOPS has encrypted is told to be so, once', () => {
  assert.deepEqual(problemsOf(secret('data: {password: "ENC[AES256_GCM,data:x,type:str]"}\nsops: {version: 3.9.0, mac: y}\n')), ['f.yaml:6:1 sops: the values are encrypted by SOPS, and are not decrypted here (hand in what "sops --decrypt" prints)']);
});

test('no problem tells a value', () => {
  const broken = [
    secret(`data:\n  password: ${VALUE}\n`),
    secret(`data: {password: 271828}\n`),
    secret(`data: {password: [${VALUE}]}\n`),
    secret(`stringData:\n  password: 271828\n`),
    secret(`stringData: ${VALUE}271828\n`),
    secret(`stringData:\n  password: "${VALUE}"${VALUE}\n`),
    secret(`stringData:\n  password: ${VALUE}: ${VALUE}\n`),
    secret(`stringData:\n  password: *${VALUE}\n`),
    secret(`stringData:\n  password: !${VALUE} x\n`),
    secret(`stringData:\n  password: '${VALUE}\n`),
    secret(`stringData:\n  password: x\n${VALUE}\n`),
    secret(`stringData: {password: x}, ${VALUE}\n`),
  ];
  for (const text of broken) {
    const told = problemsOf(text);
    assert.notEqual(told.length, 0, text);
    assert.ok(!told.join('\n').includes('hunter2') && !told.join('\n').includes('271828'), told.join('\n'));
  }
});

test('a change is told by its keys', () => {
  const [before, after] = [only(secret('stringData: {a: "1", b: "2"}\n')), only(secret('stringData: {a: "3", c: "4"}\nimmutable: true\n'))];
  assert.ok(before.kind === 'Secret' && after.kind === 'Secret');
  assert.deepEqual(configChanged(before, after), [
    { field: 'data.a', from: '(changed)', to: '(changed)' },
    { field: 'data.b', from: '(set)', to: '(none)' },
    { field: 'data.c', from: '(none)', to: '(set)' },
    { field: 'immutable', from: 'false', to: 'true' },
  ]);
  assert.deepEqual(configChanged(before, before), []);
});
