import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import type { ImageProgress } from '../../../src/engine/images.ts';
import { startRegistry, USER } from '../../support/registry.ts';
import { tarArchive } from '../../support/tar-writer.ts';
import { once, openStore } from './store-support.ts';

const layer = (text: string) => once(gzipSync(tarArchive([{ name: 'etc/', type: '5', mode: 0o755 }, { name: 'etc/word', content: text }])));
const skopeo = (...args: string[]) => promisify(execFile)('skopeo', args);

test('an image pushed here is pulled elsewhere with the same digests, and another tool sees the same', async () => {
  await using registry = await startRegistry();
  await using here = await openStore();
  await using there = await openStore();
  const name = `${registry.address}/team/app:1`;
  const made = await here.engine.import(layer('hello'), name);
  const { digest } = await here.engine.push(name);
  const pulled = await there.engine.pull(name);
  assert.equal(pulled.id, made.id);
  assert.deepEqual(pulled.repoDigests, [`${registry.address}/team/app@${digest}`]);
  const details = await there.engine.inspect(name);
  assert.equal(details.manifestDigest, digest);
  const [unpacked] = details.layerDigests;
  assert.ok(unpacked);
  assert.equal(await readFile(path.join(there.dataDir.layers, unpacked.chainId.slice(7), 'etc/word'), 'utf8'), 'hello');
  const seen = JSON.parse((await skopeo('inspect', '--tls-verify=false', `docker://${name}`)).stdout) as { Digest: string };
  assert.equal(seen.Digest, digest);
  assert.deepEqual(await there.engine.check(), []);
  // By digest, too, and from a second store that has nothing.
  await using third = await openStore();
  assert.equal((await third.engine.pull(`${registry.address}/team/app@${digest}`)).id, made.id);
});

test('what is there is not sent again: not by a second pull, not by a second push, not to another repository', async () => {
  await using registry = await startRegistry();
  await using store = await openStore();
  const name = `${registry.address}/one:1`;
  await store.engine.import(layer('x'), name);
  await store.engine.push(name);
  const states = async (transfer: (onProgress: (progress: ImageProgress) => void) => Promise<unknown>) => {
    const seen = new Map<string, string>();
    await transfer((progress) => {
      if (progress.type === 'LAYER') seen.set(progress.digest, progress.state);
    });
    return [...new Set(seen.values())];
  };
  assert.deepEqual(await states((onProgress) => store.engine.pull(name, { onProgress })), ['Exists']);
  assert.deepEqual(await states((onProgress) => store.engine.push(name, { onProgress })), ['Exists']);
  await store.engine.tag(name, `${registry.address}/two:1`);
  assert.ok((await states((onProgress) => store.engine.push(`${registry.address}/two:1`, { onProgress }))).includes('Mounted'));
});

test("Docker's schema 2 and an index of several platforms are pulled", async () => {
  await using registry = await startRegistry();
  await using store = await openStore({ busybox: true });
  const place = path.join(store.root, 'archive.tar');
  await writeFile(place, await Array.fromAsync(await store.engine.save(['mooring.local/busybox'], 'oci')));
  await skopeo('copy', '--format', 'v2s2', '--dest-tls-verify=false', `oci-archive:${place}`, `docker://${registry.address}/docker:1`);
  const pulled = await store.engine.pull(`${registry.address}/docker:1`);
  assert.equal(pulled.layers, 1);
  const raw = (await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${registry.address}/docker:1`)).stdout;
  assert.match(raw, /docker\.distribution\.manifest\.v2/);
  const manifest = { mediaType: 'application/vnd.docker.distribution.manifest.v2+json', digest: pulled.repoDigests[0]?.split('@')[1], size: Buffer.byteLength(raw) };
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifests: [
      { ...manifest, platform: { os: 'linux', architecture: 'amd64' } },
      { ...manifest, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    ],
  });
  await fetch(`http://${registry.address}/v2/docker/manifests/many`, { method: 'PUT', body: index, headers: { 'content-type': 'application/vnd.docker.distribution.manifest.list.v2+json' } });
  assert.equal((await store.engine.pull(`${registry.address}/docker:many`)).id, pulled.id);
  await assert.rejects(store.engine.pull(`${registry.address}/docker:many`, { platform: { os: 'linux', architecture: 's390x' } }), { code: 'NotFound', fix: /linux\/amd64, linux\/arm64\/v8/ });
  assert.deepEqual(await store.engine.check(), []);
});

test('a registry with logins is entered with what docker login left, in the file or with a helper', async () => {
  await using registry = await startRegistry({ auth: true });
  await using store = await openStore();
  const name = `${registry.address}/private:1`;
  await store.engine.import(layer('secret'), name);
  await assert.rejects(store.engine.push(name), { code: 'Conflict', message: /gives no access/, fix: /mooring login/ });
  const config = path.join(store.root, 'config.json');
  const auth = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');
  await writeFile(config, JSON.stringify({ auths: { [registry.address]: { auth } } }));
  await store.engine.push(name);
  await writeFile(config, JSON.stringify({ auths: { [`https://${registry.address}/v1/`]: { auth: Buffer.from('sailor:wrong').toString('base64') } } }));
  await assert.rejects(store.engine.pull(name), { code: 'Conflict' });

  const helpers = path.join(store.root, 'bin');
  await mkdir(helpers);
  const helper = path.join(helpers, 'docker-credential-test');
  await writeFile(helper, `#!/bin/sh\nread server\n[ "$server" = "${registry.address}" ] && echo '{"Username":"${USER.username}","Secret":"${USER.password}"}'\n`);
  await chmod(helper, 0o755);
  await writeFile(config, JSON.stringify({ credHelpers: { [registry.address]: 'test' } }));
  const before = process.env['PATH'];
  process.env['PATH'] = `${helpers}:${before}`;
  try {
    await store.engine.pull(name);
  } finally {
    process.env['PATH'] = before;
  }
});

test('a registry with a certificate of its own is trusted once its authority is, and never spoken to in the clear', async () => {
  await using registry = await startRegistry({ tls: true });
  const name = `${registry.address}/app:1`;
  await using wary = await openStore();
  await wary.engine.import(layer('x'), name);
  await assert.rejects(wary.engine.push(name), { code: 'Unavailable', fix: /--registry-ca/ });
  await using trusting = await openStore({ caFiles: [registry.ca] });
  await trusting.engine.import(layer('x'), name);
  await trusting.engine.push(name);
  const folder = path.join(wary.root, 'certs.d', registry.address);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'ca.crt'), await readFile(registry.ca));
  await wary.engine.pull(name);
});

test('what a registry does not have is told with its name', async () => {
  await using registry = await startRegistry();
  await using store = await openStore();
  await assert.rejects(store.engine.pull(`${registry.address}/nothing:here`), { code: 'NotFound', message: /nothing:here/ });
});
