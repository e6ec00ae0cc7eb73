import type { Duplex } from 'node:stream';
import { readFrames, resizeFrame } from '../../lib/attach-frames.ts';
import { DockerError } from './error-reply.ts';
import type { Query } from './query.ts';

const MOST = 65_535;

/** `h` and `w` of a request. Throws 400. */
export function terminalSize(query: Query): { readonly rows: number; readonly columns: number } {
  const [rows, columns] = [query.number('h'), query.number('w')];
  if (rows === undefined || columns === undefined || [rows, columns].some((each) => each < 0 || each > MOST)) throw new DockerError(400, `a terminal's size is h rows and w columns, from 0 to ${MOST}`);
  return { rows, columns };
}

/** Sizes the terminal of an attached process, and lets go of that. */
export async function resizeTerminal(process: Duplex, rows: number, columns: number): Promise<void> {
  try {
    for await (const { kind } of readFrames(process as AsyncIterable<Buffer>)) {
      if (kind !== 'welcome') continue;
      await new Promise<void>((resolve) => process.write(resizeFrame(rows, columns), () => resolve()));
      return;
    }
  } finally {
    process.destroy();
  }
}
