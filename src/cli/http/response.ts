import type { ByteReader } from './byte-reader.ts';

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; of a repeated name the last value. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Reads the status line and headers of an HTTP/1.1 response, past any 1xx before it (RFC 9112 §3–5, RFC 9110 §15.2). */
export async function readHead(reader: ByteReader): Promise<ResponseHead> {
  for (;;) {
    const statusLine = await reader.line();
    const match = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(statusLine);
    if (match === null) throw new Error(`not an HTTP response: ${JSON.stringify(statusLine.slice(0, 80))}`);
    const status = Number(match[1]);
    const headers = new Map<string, string>();
    for (let line = await reader.line(); line !== ''; line = await reader.line()) {
      const colon = line.indexOf(':');
      if (colon < 1) throw new Error(`malformed header line ${JSON.stringify(line.slice(0, 80))}`);
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    if (status >= 200) return { status, headers };
  }
}

/** The body's bytes as they come: chunked, of a known length, or until the end of the connection (RFC 9112 §6.3). */
export async function* readBody(reader: ByteReader, head: ResponseHead): AsyncGenerator<Buffer, void, void> {
  if (head.status === 204 || head.status === 304) return;
  if (head.headers.get('transfer-encoding')?.toLowerCase() === 'chunked') {
    yield* readChunks(reader);
    return;
  }
  const declared = head.headers.get('content-length');
  if (declared === undefined) {
    for (let bytes = await reader.some(Infinity); bytes !== undefined; bytes = await reader.some(Infinity)) yield bytes;
    return;
  }
  if (!/^\d+$/.test(declared)) throw new Error(`malformed content-length ${JSON.stringify(declared)}`);
  yield* readExactly(reader, Number(declared));
}

async function* readChunks(reader: ByteReader): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    const line = await reader.line();
    const size = /^([0-9a-fA-F]{1,8})(?:[ \t]*;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw new Error(`malformed chunk size ${JSON.stringify(line.slice(0, 80))}`);
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    yield* readExactly(reader, length);
    if ((await reader.line()) !== '') throw new Error('a chunk is longer than it says');
  }
  while ((await reader.line()) !== ''); // trailers
}

async function* readExactly(reader: ByteReader, length: number): AsyncGenerator<Buffer, void, void> {
  for (let left = length; left > 0;) {
    const bytes = await reader.some(left);
    if (bytes === undefined) throw new Error('the connection ended in the middle of a response');
    left -= bytes.length;
    yield bytes;
  }
}
