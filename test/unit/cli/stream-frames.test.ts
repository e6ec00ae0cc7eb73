import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Readable } from 'node:stream';
import { streamFrames } from '../../../src/cli/docker/stream-frames.ts';

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

async function streamsOf(pieces: Iterable<Buffer>): Promise<{ stdout: string; stderr: string }> {
  const seen = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of streamFrames(Readable.from(pieces) as AsyncIterable<Buffer>)) seen[stream] += bytes.toString();
  return seen;
}

test('frames are taken apart wherever the pieces of the stream end', async () => {
  const whole = Buffer.concat([frame(1, 'out\n'), frame(2, 'err\n'), frame(1, ''), frame(1, 'x'.repeat(1000))]);
  for (const size of [1, 3, 8, 9, 64, 5000]) {
    const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => whole.subarray(index * size, (index + 1) * size));
    assert.deepEqual(await streamsOf(pieces), { stdout: `out\n${'x'.repeat(1000)}`, stderr: 'err\n' });
  }
});

test('a stream that ends within a frame is an error', async () => {
  for (const cut of [3, 10]) await assert.rejects(streamsOf([frame(1, 'hello').subarray(0, cut)]), /ended in the middle/);
});
