import { Readable } from 'node:stream';

import type { Io } from '../../../src/cli/io.ts';
import { createStyle } from '../../../src/cli/output/style.ts';

export interface FakeIo extends Io {
  readonly written: { out: string; err: string };
}

/** Catches what a command writes; the clock stands at 2026-01-01T01:00:00Z. */
export function fakeIo(over: Partial<Io> = {}): FakeIo {
  const written = { out: '', err: '' };
  return {
    written,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    style: createStyle(false),
    terminal: false,
    columns: () => Infinity,
    rows: () => Infinity,
    now: () => Date.parse('2026-01-01T01:00:00Z'),
    readStdin: () => Promise.resolve(''),
    stdinBytes: () => Readable.from([]),
    outBytes: async (pieces) => {
      for await (const piece of pieces) written.out += piece.toString('latin1');
    },
    ...over,
  };
}
