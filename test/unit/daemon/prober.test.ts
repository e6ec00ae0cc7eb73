import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProber } from '../../../src/daemon/prober.ts';
import type { ImageDetails } from '../../../src/engine/images.ts';
import { systemClock } from '../../../src/lib/clock.ts';

test('an image is asked once for its health check, however many containers start from it, and again after a failure', async () => {
  const asked: string[] = [];
  let isBroken = false;
  const images = {
    inspect(image: string): Promise<ImageDetails> {
      asked.push(image);
      if (isBroken) return Promise.reject(new Error('the disk is on fire'));
      return Promise.resolve({ config: { config: { Healthcheck: { Test: ['CMD', image] } } } } as unknown as ImageDetails);
    },
  };
  const prober = createProber({ exec: assert.fail, attachExec: assert.fail, killExec: assert.fail }, images, systemClock);
  const tests = await Promise.all(Array.from({ length: 500 }, async (_, index) => (await prober.imageHealthcheck(`sha256:${index % 2}`))?.Test));
  assert.deepEqual([tests[0], tests[499]], [['CMD', 'sha256:0'], ['CMD', 'sha256:1']]);
  assert.deepEqual(asked, ['sha256:0', 'sha256:1']);
  isBroken = true;
  await assert.rejects(prober.imageHealthcheck('sha256:2'), /on fire/);
  isBroken = false;
  assert.deepEqual((await prober.imageHealthcheck('sha256:2'))?.Test, ['CMD', 'sha256:2']);
  for (let index = 3; index < 2000; index++) await prober.imageHealthcheck(`sha256:${index}`);
  asked.length = 0;
  await prober.imageHealthcheck('sha256:1');
  await prober.imageHealthcheck('sha256:1999');
  assert.deepEqual(asked, ['sha256:1'], 'only the newest are remembered');
});
