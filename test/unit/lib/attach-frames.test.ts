import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttachFrame, readFrames, resizeFrame, stdinEndFrame, stdinFrames } from '../../../src/lib/attach-frames.ts';

// From the monitor: a welcome to a terminal with input, "hi" on stdout, nothing on stderr, "x" on stderr, the end with status 137.
const STREAM = Buffer.from([1, 0, 0, 1, 3, 2, 0, 0, 2, 0x68, 0x69, 3, 0, 0, 0, 3, 0, 0, 1, 0x78, 4, 0, 0, 1, 137]);
const FRAMES: readonly AttachFrame[] = [
  { kind: 'welcome', terminal: true, stdin: true },
  { kind: 'stdout', bytes: Buffer.from('hi') },
  { kind: 'stderr', bytes: Buffer.alloc(0) },
  { kind: 'stderr', bytes: Buffer.from('x') },
  { kind: 'ended', exitCode: 137 },
];

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

test('frames are the same however the stream is cut, and one that is cut off is none', async () => {
  for (let size = 1; size <= STREAM.length; size++) assert.deepEqual(await Array.fromAsync(readFrames(pieces(STREAM, size))), FRAMES, `in pieces of ${size}`);
  assert.deepEqual(await Array.fromAsync(readFrames(pieces(STREAM.subarray(0, -1), 5))), FRAMES.slice(0, -1));
});

test('what is no frame is refused', async () => {
  await assert.rejects(Array.fromAsync(readFrames(pieces(Buffer.from([9, 0, 0, 0]), 4))), /unknown kind 9/);
  await assert.rejects(Array.fromAsync(readFrames(pieces(Buffer.from([2, 1, 0, 1]), 4))), /too long/);
});

test('what a client sends', () => {
  assert.deepEqual(stdinFrames(Buffer.from('ab')), Buffer.from([16, 0, 0, 2, 0x61, 0x62]));
  assert.deepEqual(stdinFrames(Buffer.alloc(0)), Buffer.from([16, 0, 0, 0]));
  assert.deepEqual(stdinEndFrame(), Buffer.from([17, 0, 0, 0]));
  assert.deepEqual(resizeFrame(24, 300), Buffer.from([18, 0, 0, 4, 0, 24, 1, 44]));
  const long = stdinFrames(Buffer.alloc(65_537, 'x'));
  assert.equal(long.length, 65_537 + 8);
  assert.deepEqual(long.subarray(0, 4), Buffer.from([16, 1, 0, 0]));
  assert.deepEqual(long.subarray(4 + 65_536), Buffer.from([16, 0, 0, 1, 0x78]));
});
