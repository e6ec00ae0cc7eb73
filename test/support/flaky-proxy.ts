import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';

import { freePort } from './registry.ts';

/** What to do with one request. `cutAfter`: pass so many bytes of the answer's body on, then break the connection. */
export type Mischief = { readonly cutAfter: number } | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

export interface FlakyProxy extends AsyncDisposable {
  readonly address: string;
  /** Every request that came: method, path, and its Range where it had one. */
  readonly requests: { readonly method: string; readonly url: string; readonly range: string | undefined; readonly time: number }[];
}

/** Stands before a registry and passes everything on, but for what `mischief` says of a request, whose address it may change. */
export async function flakyProxy(target: string, mischief: (incoming: IncomingMessage, count: number) => Mischief | undefined): Promise<FlakyProxy> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const requests: FlakyProxy['requests'] = [];
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = '', url = '', headers } = incoming;
    requests.push({ method, url, range: headers.range, time: Date.now() });
    const trick = mischief(incoming, requests.length);
    if (trick && 'status' in trick) {
      incoming.resume();
      outgoing.writeHead(trick.status, trick.headers).end();
      return;
    }
    // The host is passed on as it is, so that the places that the registry gives lead here again.
    const onward = request(`http://${target}${incoming.url ?? ''}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (!trick) {
        answer.pipe(outgoing);
        return;
      }
      let left = trick.cutAfter;
      answer.on('data', (piece: Buffer) => {
        outgoing.write(piece.subarray(0, left), () => left <= 0 && outgoing.destroy());
        left -= piece.length;
      });
      // What is shorter than the cut comes whole, and leaves the connection to the next request.
      answer.on('end', () => left > 0 && outgoing.end());
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  };
  const server = createServer(pass).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    address,
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
