import type { LogLine } from '../../src/engine/engine.ts';

/** A log's lines, one by one and as text. */
export async function* logLines(batches: AsyncIterable<readonly LogLine[]>): AsyncGenerator<Omit<LogLine, 'bytes'> & { readonly text: string }> {
  for await (const lines of batches) for (const { bytes, ...line } of lines) yield { ...line, text: bytes.toString('utf8') };
}
