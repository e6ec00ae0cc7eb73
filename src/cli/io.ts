import { once } from 'node:events';
import { createStyle, type Style, wantsColour } from './output/style.ts';

/** What a command may touch of the process that it runs in. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  readonly style: Style;
  readonly terminal: boolean;
  /** Width of the terminal, Infinity when there is none. */
  columns(): number;
  /** Height of the terminal, Infinity when there is none. */
  rows(): number;
  now(): number;
  readStdin(): Promise<string>;
  /** Standard input's bytes as they come. */
  stdinBytes(): AsyncIterable<Buffer>;
  /** Bytes to standard output, no faster than they are taken. */
  outBytes(pieces: AsyncIterable<Buffer>): Promise<void>;
}

export function processIo(): Io {
  // A reader that goes away (`mooring ps | head -1`) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    style: createStyle(wantsColour(process.stdout.isTTY, process.env)),
    terminal: process.stdout.isTTY,
    columns: () => (process.stdout.isTTY ? process.stdout.columns : Infinity),
    rows: () => (process.stdout.isTTY ? process.stdout.rows : Infinity),
    now: () => Date.now(),
    stdinBytes: () => process.stdin as AsyncIterable<Buffer>,
    outBytes: async (pieces) => {
      for await (const piece of pieces) if (!process.stdout.write(piece)) await once(process.stdout, 'drain');
    },
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}
