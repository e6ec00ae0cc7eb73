import assert from 'node:assert/strict';
import { test } from 'node:test';

import { digestOf } from '../../../src/engine/images/digest.ts';
import { giveName, takeNames } from '../../../src/engine/images/naming.ts';
import { Pins } from '../../../src/engine/images/pins.ts';
import type { ImageRecord } from '../../../src/engine/store/image-records.ts';

const record = (name: string, image: string): ImageRecord => ({ name, imageId: digestOf(image), manifestDigest: digestOf(`manifest of ${image}`), repoDigest: null, chainIds: [digestOf(`layer of ${image}`)], createdAt: 0 });

/** A room with containers of image `used`, that writes down what happens in it. */
function room() {
  const happened: string[] = [];
  const names = new Map([record('old', 'used'), record('idle', 'unused')].map((each) => [each.name, each]));
  const ledger = {
    note: async () => {},
    release: () => {},
    settle: async (digests: readonly string[]) => {
      await Promise.resolve();
      if (digests.length > 0) happened.push(`settled ${digests.length}`);
    },
  };
  const images = {
    standing: (name: string) => names.get(name),
    put: ({ name }: ImageRecord) => void happened.push(`put ${name}`),
    delete: (name: string) => void happened.push(`deleted ${name}`),
  };
  return { happened, pins: new Pins(ledger), images, containers: () => [{ name: 'default/web', imageId: digestOf('used') }] };
}

test('what containers stand on is on disk before its name goes, or comes to mean something else', async () => {
  const place = room();
  await takeNames(place, [record('old', 'used')]);
  await giveName(place, record('old', 'another'));
  assert.deepEqual(place.happened, ['settled 2', 'deleted old', 'settled 2', 'put old']);
});

test('nobody waits for the disk where no container does', async () => {
  const place = room();
  await takeNames(place, [record('idle', 'unused')]);
  for (const given of [record('idle', 'another'), record('new', 'used'), record('old', 'used')]) await giveName(place, given);
  assert.deepEqual(place.happened, ['deleted idle', 'put idle', 'put new', 'put old']);
});
