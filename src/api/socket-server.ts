import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Grant } from './tokens.ts';
import { listenOnSocket, type SocketAccess } from './unix-socket.ts';

/** One request and what it is answered by. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Aborted once the client has gone, the reply is complete or the server closes. */
  readonly signal: AbortSignal;
  /** Aborted once the server closes. */
  readonly closing: AbortSignal;
  /** Of a request that goes over to another protocol: what came on the connection behind its head. */
  readonly sentAlong?: Buffer;
  /** What the bearer of the request's token may do; without one, everything. */
  readonly grant?: Grant;
}

/** What answers the requests of a socket. */
export interface Face {
  /**
   * Whether a request that offers to go over to another protocol is answered on its bare connection, its body unread. Where not, the offer is passed
   * over, as RFC 9110, 7.8 lets a server do.
   */
  readonly upgrades: (request: IncomingMessage) => boolean;
  /** Never throws. */
  readonly answer: (exchange: Exchange) => void;
}

export interface FaceServer {
  /** Takes no further request, ends what is followed, and lets short replies finish. May be called again. */
  readonly close: () => Promise<void>;
}

export interface SocketServer extends FaceServer {
  readonly socket: string;
}

const CLOSE_GRACE_MS = 1000;
/** A client that takes longer to send its request's head is hung up on. Bodies are bounded by who reads them. */
const HEAD_TIMEOUT_MS = 20_000;
/** Builds and registry logins of Docker's clients stand in the query and the headers. */
const MAX_HEAD_BYTES = 1024 * 1024;

/** Serves a face on a unix socket. Throws `Conflict` where another daemon answers on it. */
export async function startSocketServer(socket: string, access: SocketAccess, face: Face): Promise<SocketServer> {
  const { server, close } = serveFace(face, createServer);
  await listenOnSocket(server, socket, access);
  return { socket, close };
}

/** Makes a server that answers by a face, within the bounds that hold for every client. It does not listen yet. */
export function serveFace<Made extends Server>(face: Face, create: (options: ServerOptions, answer: RequestListener) => Made): FaceServer & { readonly server: Made } {
  const closing = new AbortController();
  const answer = (request: IncomingMessage, response: ServerResponse, sentAlong?: Buffer): void => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    face.answer({ request, response, signal: AbortSignal.any([closing.signal, gone.signal]), closing: closing.signal, ...(sentAlong && { sentAlong }) });
  };
  const server = create({ headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: 0, connectionsCheckingInterval: HEAD_TIMEOUT_MS / 2, maxHeaderSize: MAX_HEAD_BYTES, shouldUpgradeCallback: face.upgrades }, answer);
  const connections = new Set<Socket>();
  server.on('connection', (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  server.on('upgrade', (request, connection, sentAlong) => answer(request, responseOn(request, connection as Socket), sentAlong));
  let closed: Promise<void> | undefined;
  return { server, close: () => (closed ??= closeServer(server, connections, closing)) };
}

/** Lets a request that wants another protocol be answered as any other. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  // Node has taken its own listener off: a client's reset would be nobody's, and end the process. What it means, 'close' tells.
  socket.on('error', () => socket.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => hangUp(socket));
  return response;
}

/** Reads away what the client still sends, since it would lose the reply with the connection; one that never stops loses it after all. */
export function hangUp(socket: Socket): void {
  socket.end();
  socket.resume();
  socket.setTimeout(CLOSE_GRACE_MS, () => socket.destroy());
}

async function closeServer(server: Server, connections: ReadonlySet<Socket>, closing: AbortController): Promise<void> {
  closing.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Those that went over to another protocol are not the HTTP server's any more.
  const force = setTimeout(() => connections.forEach((connection) => connection.destroy()), CLOSE_GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearTimeout(force);
}
