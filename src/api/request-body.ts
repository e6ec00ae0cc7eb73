import type { Exchange } from './socket-server.ts';

/** A client that sends nothing for so long in the middle of a body is gone. */
const IDLE_MS = 300_000;

/**
 * Has `work` read the request's body as it comes. Should that stop in the middle, the rest is read away: a client that is still sending would find its pipe broken, and
 * never read why.
 */
export async function takeBody<T>({ request, response }: Pick<Exchange, 'request' | 'response'>, work: (content: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const { socket } = request; // the request lets go of it at its end
  const giveUp = (): void => void response.destroy();
  socket.setTimeout(IDLE_MS, giveUp);
  try {
    return await work(request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>);
  } catch (error) {
    if (!request.readableEnded && !request.destroyed) for await (const _ of request);
    throw error;
  } finally {
    socket.setTimeout(0, giveUp);
  }
}

/** The pieces together; undefined where they are more than so many bytes. They are read to their end all the same, for the same reason, and not kept. */
export async function wholeBody(pieces: AsyncIterable<Buffer>, most: number): Promise<Buffer | undefined> {
  const kept: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size <= most) kept.push(piece);
    else kept.length = 0;
  }
  return size <= most ? Buffer.concat(kept) : undefined;
}
