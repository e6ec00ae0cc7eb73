import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Face } from '../socket-server.ts';
import { sendRefusal } from '../reply.ts';

/**
 * The same API where browsers reach it: one that holds a client's certificate sends it along with what any page has it ask. Such requests have an origin, which
 * must be one of `origins`; and a page whose name was made to stand for this address (DNS rebinding) asks for a host that is not the certificate's.
 */
export function refuseForeignPages(face: Face, certificate: X509Certificate, origins: readonly string[]): Face {
  return {
    upgrades: (request) => refusalOf(request, certificate, origins) === undefined && face.upgrades(request),
    answer: (exchange) => {
      const refusal = refusalOf(exchange.request, certificate, origins);
      if (refusal === undefined) return face.answer(exchange);
      sendRefusal(exchange, { message: refusal }, 403);
    },
  };
}

function refusalOf({ headers, socket }: IncomingMessage, certificate: X509Certificate, origins: readonly string[]): string | undefined {
  const { origin, host = '' } = headers;
  if (origin !== undefined && !origins.includes(origin)) return `pages of ${origin} may not use this API: the daemon's --docker-origin names those that may`;
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const isOwn = isIP(name) === 0 ? name !== '' && certificate.checkHost(name) !== undefined : certificate.checkIP(name) !== undefined || name === plain(socket.localAddress);
  return isOwn ? undefined : `this is not the host "${name}": ask for a name of the daemon's certificate, or for its address`;
}

/** Without what IPv6 sockets put before an IPv4 address. */
function plain(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
