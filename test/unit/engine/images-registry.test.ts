import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { parseManifest } from '../../../src/engine/images/oci-image.ts';
import { choosePlatform, hostPlatform, parsePlatform } from '../../../src/engine/images/platform.ts';
import { Pins } from '../../../src/engine/images/pins.ts';
import { digestOf } from '../../../src/engine/images/digest.ts';
import { parseChallenges } from '../../../src/engine/images/registry/auth-challenge.ts';
import { isLoopback } from '../../../src/engine/images/registry/registry-host.ts';
import { retryAfterMs, retryDelay } from '../../../src/engine/images/registry/retry.ts';
import { freeLedger } from '../../support/free-hold.ts';

describe('challenges', () => {
  const read = (header: string | string[]) => parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

  test('a bearer challenge with a comma in its scope', () => {
    assert.deepEqual(read('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'), [
      ['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' }],
    ]);
  });
  test('several challenges, in one header or in several, without quotes, with escapes and odd spaces', () => {
    assert.deepEqual(read('Negotiate, Basic realm="a \\"b\\"" , Bearer REALM = x'), [['negotiate', {}], ['basic', { realm: 'a "b"' }], ['bearer', { realm: 'x' }]]);
    assert.deepEqual(read(['Basic realm="one"', 'Bearer realm="two"']).map(([scheme]) => scheme), ['basic', 'bearer']);
  });
  test('what can not be read ends the list', () => {
    assert.deepEqual(read('Basic realm="open'), [['basic', {}]]);
    assert.deepEqual(parseChallenges(undefined), []);
    assert.deepEqual(read('"'), []);
  });
});

describe('manifests', () => {
  const blob = { digest: digestOf('x'), size: 1 };
  const manifest = { schemaVersion: 2, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...blob }, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd', ...blob }] };
  const parse = (value: unknown) => parseManifest(Buffer.from(JSON.stringify(value)), 'it');

  test('both families are read, with or without a media type of their own', () => {
    assert.ok('manifest' in parse(manifest));
    assert.ok('manifest' in parse({ ...manifest, config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...blob }, layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...blob }] }));
    assert.ok('index' in parse({ schemaVersion: 2, manifests: [] }));
  });

  for (const [trick, value, code] of [
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'Unsupported'],
    ['an artifact', { ...manifest, config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', ...blob } }, 'Unsupported'],
    ['an encrypted layer', { ...manifest, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+encrypted', ...blob }] }, 'Unsupported'],
    ['a digest that leads out', { ...manifest, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:../../${'a'.repeat(58)}`, size: 1 }] }, 'Invalid'],
    ['a digest of another algorithm', { ...manifest, config: { ...manifest.config, digest: `sha512:${'a'.repeat(128)}` } }, 'Invalid'],
    ['a negative size', { ...manifest, layers: [{ ...manifest.layers[0], size: -1 }] }, 'Invalid'],
    ['a fractional size', { ...manifest, layers: [{ ...manifest.layers[0], size: 1.5 }] }, 'Invalid'],
    ['more layers than a mount takes', { ...manifest, layers: Array.from({ length: 501 }, () => manifest.layers[0]) }, 'Invalid'],
    ['no object', null, 'Invalid'],
    ['a list', [], 'Invalid'],
  ] as const) {
    test(`${trick} is refused`, () => assert.throws(() => parse(value), { code }));
  }
});

describe('platforms', () => {
  const entry = (platform: string, digest = digestOf(platform)) => ({ mediaType: '', digest, size: 1, platform: parsePlatform(platform) });
  const choose = (wanted: string, ...there: string[]) => choosePlatform({ manifests: there.map((platform) => entry(platform)) }, parsePlatform(wanted), 'it').digest;

  test('the same variant, else the nearest lower one', () => {
    assert.equal(choose('linux/arm/v7', 'linux/arm/v5', 'linux/arm/v6', 'linux/arm64'), digestOf('linux/arm/v6'));
    assert.equal(choose('linux/arm64/v8', 'linux/amd64', 'linux/arm64'), digestOf('linux/arm64'));
    assert.equal(choose('linux/amd64', 'linux/amd64', 'windows/amd64'), digestOf('linux/amd64'));
  });
  test('names of the kernel for names of Go', () => assert.equal(choose('linux/x86_64', 'linux/amd64'), digestOf('linux/amd64')));
  test('an attestation is no platform', () => {
    const attestation = { ...entry('linux/amd64'), annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
    assert.throws(() => choosePlatform({ manifests: [attestation] }, hostPlatform('x64'), 'it'), { code: 'NotFound' });
  });
  test('nothing that fits names what there is', () => assert.throws(() => choose('linux/arm/v5', 'linux/arm/v7'), { code: 'NotFound', fix: 'it has linux/arm/v7' }));
});

describe('waiting', () => {
  test('Retry-After in seconds and as a date', () => {
    assert.equal(retryAfterMs('7', 0), 7000);
    assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:01:00 GMT', 10_000), 50_000);
    assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:00:00 GMT', 10_000), 0);
    assert.equal(retryAfterMs('soon', 0), undefined);
  });
  test('delays double, are spread, and are bounded', () => {
    assert.equal(retryDelay(0, () => 0), 125);
    assert.equal(retryDelay(2, () => 1), 1000);
    assert.equal(retryDelay(50, () => 1), 15_000);
  });
});

test('only loopback may be spoken to in plain HTTP unasked', () => {
  for (const address of ['localhost:5000', '127.0.0.1', '127.9.9.9:1', '[::1]:5000']) assert.ok(isLoopback(address), address);
  for (const address of ['127.0.0.1.example.com', 'localhost.example.com', '10.0.0.1:5000', '[::2]']) assert.ok(!isLoopback(address), address);
});

test('a sweep and a hold wait for each other', async () => {
  const pins = new Pins(freeLedger);
  const [a, b] = [digestOf('a'), digestOf('b')];
  const first = pins.open();
  await first.add([a]);
  const gate = Promise.withResolvers<void>();
  const sweep = pins.sweep(() => gate.promise);
  let held = false;
  const second = pins.open();
  const added = second.add([a, b]).finally(() => (held = true));
  await new Promise(setImmediate);
  assert.equal(held, false);
  gate.resolve();
  await sweep;
  first[Symbol.dispose]();
  assert.ok(pins.isHeld(a) && pins.isHeld(b));
  await added;
  second[Symbol.dispose]();
  assert.ok(!pins.isHeld(a) && !pins.isHeld(b));
});
