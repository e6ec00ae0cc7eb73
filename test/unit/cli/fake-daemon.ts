import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';

/**
 * Listens on a unix socket and answers every connection with these bytes, a write each, once the request has come in whole.
 * What was asked is kept in `requests`.
 */
export async function fakeDaemon(...writes: readonly (string | Buffer)[]): Promise<AsyncDisposable & { readonly socket: string; readonly requests: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'mooring-cli-'));
  const socket = join(folder, 'mooring.sock');
  const requests: string[] = [];
  const server = createServer((connection) => {
    let received = '';
    connection.on('error', () => connection.destroy());
    connection.on('data', (data) => {
      received += data.toString('utf8');
      const end = received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
      if (end < 0 || Buffer.byteLength(received.slice(end + 4)) < length) return;
      requests.push(received);
      void (async () => {
        for (const bytes of writes) {
          connection.write(bytes);
          await new Promise(setImmediate);
        }
        connection.end();
      })();
    });
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

export function jsonReply(value: unknown, status = '200 OK'): string {
  const body = JSON.stringify(value);
  return `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
