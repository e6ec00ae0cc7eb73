import type { Face } from '../socket-server.ts';
import { sendRefusal } from '../reply.ts';

const READS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD']);
/** The one read that may write: into a container's standard input. */
const ATTACHES = /\/attach\/ws$/;

/** The same API for who may look, and change nothing: all that is read, logs, events and files among it. */
export function readOnly(face: Face): Face {
  return {
    upgrades: () => false,
    answer: (exchange) => {
      const { method, url = '' } = exchange.request;
      if (READS.has(method) && !ATTACHES.test(url.split('?')[0] ?? '')) return face.answer(exchange);
      sendRefusal(exchange, { message: 'this socket is read-only: use docker.sock for what changes something' }, 403);
    },
  };
}
