import { createServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { addressText, listenOnTcp, type TcpAddress } from '../lib/listen-on-tcp.ts';
import { type Face, type FaceServer, hangUp, serveFace } from './socket-server.ts';
import type { TlsIdentity } from './tls-identity.ts';

export interface TlsServer extends FaceServer {
  /** `HOST:PORT`, with the port that it listens on. */
  readonly address: string;
}

/** From a connection's begin to the end of its handshake. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The first byte of every TLS connection: a record of type handshake (RFC 8446, 5.1). */
const HANDSHAKE_RECORD = 0x16;

/**
 * Serves a face on TCP to clients whose certificate an authority of `identity` signed. All others are told why not, in an answer that does not depend on
 * what they ask: nothing of that is read. Throws `Invalid` or `Conflict` where it can't listen.
 */
export async function startTlsServer(listen: TcpAddress, { ca, cert, key }: TlsIdentity, face: Face): Promise<TlsServer> {
  const { server, close } = serveFace(face, (options, answer) => {
    // Node hangs up on clients without a certificate unless told otherwise; they would never read why. The end of what a client sends leaves it open to ours.
    const made = createServer({ ...options, ca, cert, key, minVersion: 'TLSv1.2', requestCert: true, rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_TIMEOUT_MS, allowHalfOpen: true }, answer);
    comeBefore(made, 'connection', admitTls);
    comeBefore(made, 'secureConnection', (connection, goOn) => admitCertified(connection as TLSSocket, goOn));
    // A handshake that fails is the client's matter, which its own side of it has told.
    return made.on('tlsClientError', (_, socket) => socket.destroy());
  });
  const port = await listenOnTcp(server, listen, 'the Docker Engine API', '--docker-addr');
  return { address: addressText({ ...listen, port }), close };
}

/** Has `admit` see each connection first, which goes on to what listens for it until now only when that says so. */
function comeBefore(server: Server, event: string, admit: (connection: Socket, goOn: () => void) => void): void {
  const others = server.listeners(event) as ((connection: Socket) => void)[];
  server.removeAllListeners(event);
  server.on(event, (connection: Socket) => admit(connection, () => others.forEach((listener) => listener.call(server, connection))));
}

function admitTls(connection: Socket, goOn: () => void): void {
  const onError = (): void => void connection.destroy();
  connection.on('error', onError);
  connection.setTimeout(HANDSHAKE_TIMEOUT_MS, onError);
  connection.once('data', (first: Buffer) => {
    connection.pause();
    connection.setTimeout(0, onError);
    if (first[0] !== HANDSHAKE_RECORD) return refuse(connection, 400, 'this port speaks HTTPS, to clients with a certificate (docker --tlsverify)');
    connection.unshift(first);
    connection.off('error', onError);
    goOn();
  });
}

function admitCertified(connection: TLSSocket, goOn: () => void): void {
  if (connection.authorized) return goOn();
  connection.on('error', () => connection.destroy());
  const reason = String(connection.authorizationError);
  const why = reason === 'UNABLE_TO_GET_ISSUER_CERT' ? 'none was given' : `the one that was given is not accepted (${reason})`;
  refuse(connection, 403, `a client certificate signed by this daemon's authority is needed: ${why}`);
}

/** Answers whatever was asked. */
function refuse(connection: Socket, status: 400 | 403, message: string): void {
  const body = `${JSON.stringify({ message })}\n`;
  const phrase = status === 400 ? 'Bad Request' : 'Forbidden';
  connection.write(`HTTP/1.1 ${status} ${phrase}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
  hangUp(connection);
}
