import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sharesOf, sizesOf, sumOf } from '../../../../src/api/docker/disk-usage.ts';

const KIB = 1024;

/** An image of a config of 500 bytes and of these layers, each as large as its name is long, in KiB. */
function image(id: string, ...layers: readonly string[]) {
  const layerDigests = layers.map((digest) => ({ digest, size: digest.length * KIB, mediaType: '', diffId: digest, chainId: digest }));
  return { id, size: 500 + sumOf(layerDigests), layerDigests };
}

/** What the docker command shows as RECLAIMABLE (cli/command/formatter/disk_usage.go). */
function reclaimable(images: readonly ReturnType<typeof image>[], used: readonly string[]): number {
  const shares = sharesOf(images);
  const inUse = images.filter(({ id }) => used.includes(id)).map((each) => sizesOf(each, shares));
  return sumOf(shares.values()) - inUse.reduce((sum, { Size, SharedSize }) => sum + Size - SharedSize, 0);
}

test('nothing is left to reclaim of images that are all in use and share nothing', () => {
  assert.equal(reclaimable([image('one', 'a')], ['one']), 0);
  assert.equal(reclaimable([image('one', 'a', 'bb'), image('two', 'ccc')], ['one', 'two']), 0);
});

test('a layer that an image has twice counts once, and is not shared with itself', () => {
  const twice = image('one', 'empty', 'a', 'empty');
  assert.deepEqual(sizesOf(twice, sharesOf([twice])), { Size: 500 + 6 * KIB, VirtualSize: 500 + 6 * KIB, SharedSize: 0 });
  assert.equal(reclaimable([twice], ['one']), 0);
});

test('what several images have is shared, and what none uses can be reclaimed', () => {
  const images = [image('one', 'base', 'a'), image('two', 'base', 'bb'), image('idle', 'ccc')];
  assert.deepEqual(images.map((each) => sizesOf(each, sharesOf(images)).SharedSize), [4 * KIB, 4 * KIB, 0]);
  assert.equal(reclaimable(images, ['one', 'two']), 500 + (3 + 4) * KIB, 'the docker command counts what is shared, too');
  for (const used of [[], ['one'], ['idle'], ['one', 'two', 'idle']]) assert.ok(reclaimable(images, used) >= 0);
});
