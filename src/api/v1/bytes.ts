import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import type { Call } from './call.ts';

/** Sends bytes as they come, no faster than the client takes them. What fails before the first of them still gets an error's reply; later the connection breaks off. */
export async function sendBytes({ response }: Pick<Call, 'response'>, type: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' });
  await pipeline(Readable.from(from(first, iterator), { objectMode: false }), response);
}

async function* from(first: IteratorResult<Buffer>, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
