import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readDocuments } from '../../../src/cli/documents.ts';
import { runCommand } from '../../../src/cli/program.ts';
import { parseDocuments } from '../../../src/spec/parse.ts';
import { fakeIo } from './fake-io.ts';

async function inFolder(files: Readonly<Record<string, string>>, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-convert-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const FILE = 'name: shop\nservices:\n  web: {image: "a:${TAG}", ports: ["80:80"], depends_on: [db], deploy: {placement: {}}}\n  db: {image: b, volumes: ["rows:/rows"]}\nvolumes: {rows: }\n';

test('convert prints documents that say the same, without a daemon; what is not done goes to standard error', () =>
  inFolder({ 'compose.yaml': FILE, '.env': 'TAG=1\n' }, async (folder) => {
    const io = fakeIo();
    assert.equal(await runCommand(['-H', 'unix:///nowhere', 'convert', '-f', join(folder, 'compose.yaml')], io), 0);
    assert.equal(io.written.err, `warning ${folder}/compose.yaml:3:73: services.web.deploy.placement: there is one node to run on\n`);
    assert.equal(parseAllDocuments(io.written.out).length, 4);
    const { documents, problems } = parseDocuments(io.written.out, 'out');
    assert.deepEqual(problems, []);
    const sent = await readDocuments([folder], fakeIo());
    const again = sent.files.flatMap(({ text }) => parseDocuments(text, 'sent').documents);
    assert.deepEqual(documents.map(({ resource }) => resource), again.map(({ resource }) => resource));
    assert.deepEqual(documents.map(({ name }) => name), ['default/shop-default', 'default/shop-rows', 'default/shop-web-1', 'default/shop-db-1']);
    assert.equal(documents[2]?.resource.metadata.labels['com.docker.compose.service'], 'web');
    assert.ok(!io.written.out.includes('oomScoreAdj'), 'defaults are left out');
  }));

test('convert ends with 2 where a file can not be taken, and says where', () =>
  inFolder({ 'compose.yaml': 'services: {web: {image: a, gpus: all}}\n', 'pod.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: app, image: a}]}\n' }, async (folder) => {
    const io = fakeIo();
    assert.equal(await runCommand(['convert', '-f', join(folder, 'compose.yaml')], io), 2);
    assert.match(io.written.err, /^error \S+\/compose\.yaml:1:28: services\.web\.gpus: .*\n {2}fix: leave it out\n/);
    assert.equal(io.written.out, '');
    const pod = fakeIo();
    assert.equal(await runCommand(['convert', '-f', join(folder, 'pod.yaml'), '-o', 'json'], pod), 0);
    assert.partialDeepStrictEqual(JSON.parse(pod.written.out), { kind: 'Container', metadata: { name: 'web-app' }, spec: { image: 'a', network: { mode: 'Bridge' } } });
  }));
