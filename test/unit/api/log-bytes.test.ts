import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogBytes } from '../../../src/api/log-bytes.ts';
import { frame } from '../../../src/api/stdcopy.ts';
import type { LogLine } from '../../../src/engine/engine.ts';

const TIME = '2026-01-01T00:00:00.000000001Z';
const line = (stream: LogLine['stream'], bytes: Buffer | string, complete = true): LogLine => ({ time: TIME, stream, bytes: Buffer.from(bytes), complete });

test('what a container wrote is given back byte by byte, in frames and without', () => {
  const wild = Buffer.from([0xff, 0x00, 0x0d, 0xc3, 0x28, 0x1b]);
  const lines = [line('stdout', wild), line('stderr', ''), line('stdout', 'é')];
  assert.deepEqual(new LogBytes({ framed: false, timestamps: false }).of(lines), Buffer.concat([wild, Buffer.from('\n\né\n')]));
  const frames = [frame('stdout', Buffer.concat([wild, Buffer.from('\n')])), frame('stderr', Buffer.from('\n')), frame('stdout', Buffer.from('é\n'))];
  assert.deepEqual(new LogBytes({ framed: true, timestamps: false }).of(lines), Buffer.concat(frames));
  assert.equal(new LogBytes({ framed: true, timestamps: true }).of([]).length, 0);
});

test('a line has its time once, though it comes in pieces between those of the other stream, and in more than one batch', () => {
  const bytes = new LogBytes({ framed: false, timestamps: true });
  const first = bytes.of([line('stdout', 'a', false), line('stderr', 'x'), line('stdout', 'b', false)]);
  const second = bytes.of([line('stdout', 'c'), line('stdout', 'd')]);
  assert.equal([first.toString(), second.toString()].join('|'), `${TIME} a${TIME} x\nb|c\n${TIME} d\n`);
});
