import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { ProbeAnswer } from '../../reconcile/prober.ts';
import { urlHost } from './output.ts';

/** `HealthCheckResponse.ServingStatus` of grpc.health.v1. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;
/** Status codes of gRPC that say something of the server. */
const CODES: Readonly<Record<string, string>> = { 5: 'it knows no such service', 12: 'it does not implement the health checking protocol' };
/** A HealthCheckResponse is four bytes long; what is longer than this is none. */
const MOST_BYTES = 1_024;

/** Probes by `grpc.health.v1.Health/Check`, over HTTP/2 without TLS as the kubelet does: SERVING passes. */
export async function probeByGrpc(port: number, service: string, address: string, signal: AbortSignal): Promise<ProbeAnswer> {
  const { connect } = await import('node:http2');
  const session = connect(`http://${urlHost(address)}:${port}`);
  const close = (): void => session.destroy();
  signal.addEventListener('abort', close, { once: true });
  try {
    return await check(session, service);
  } finally {
    signal.removeEventListener('abort', close);
    session.destroy();
  }
}

function check(session: ClientHttp2Session, service: string): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    session.once('close', () => reject(new Error('the connection was closed before there was an answer')));
    const stream = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check', 'content-type': 'application/grpc', te: 'trailers', 'user-agent': 'mooring-probe' });
    const parts: Buffer[] = [];
    let status: string | undefined;
    let message: string | undefined;
    const note = (headers: IncomingHttpHeaders): void => {
      status = [headers['grpc-status'] ?? status ?? []].flat()[0];
      message = [headers['grpc-message'] ?? message ?? []].flat()[0];
    };
    stream.on('error', reject);
    // An answer without a body has its status here.
    stream.once('response', (headers) => {
      note(headers);
      if (headers[':status'] !== 200) fail(stream, resolve, `it was answered with HTTP status ${headers[':status']}, as by no server of gRPC`);
    });
    stream.once('trailers', note);
    stream.on('data', (part: Buffer) => {
      parts.push(part);
      if (parts.reduce((sum, { length }) => sum + length, 0) > MOST_BYTES) fail(stream, resolve, 'its answer is longer than any of the health checking protocol');
    });
    stream.once('end', () => resolve(answerOf(Buffer.concat(parts), status, message, service)));
    stream.end(framed(requestFor(service)));
  });
}

function fail(stream: ClientHttp2Stream, resolve: (answer: ProbeAnswer) => void, output: string): void {
  resolve({ exitCode: 1, output });
  stream.destroy();
}

function answerOf(body: Buffer, status: string | undefined, message: string | undefined, service: string): ProbeAnswer {
  const of = service === '' ? 'the server' : `service ${service}`;
  if (status !== '0') {
    const why = CODES[status ?? ''] ?? 'it could not answer';
    return { exitCode: 1, output: `${why}: gRPC status ${status ?? '(none)'}${message === undefined || message === '' ? '' : `, ${percentDecoded(message)}`}` };
  }
  const serving = statusIn(body);
  return { exitCode: serving === SERVING ? 0 : 1, output: serving === undefined ? 'its answer is none of the health checking protocol' : `${of} is ${STATUSES[serving] ?? serving}` };
}

/** As gRPC writes texts in headers; what is no such text stays as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `HealthCheckRequest { string service = 1; }` in protobuf. */
export function requestFor(service: string): Buffer {
  const name = Buffer.from(service, 'utf8');
  return name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
}

/** One message of gRPC: not compressed, its length, itself. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }` in its frame; 0 where the field is left out, undefined for what is no such message. */
export function statusIn(frame: Buffer): number | undefined {
  if (frame.length < 5 || frame[0] !== 0 || frame.readUInt32BE(1) !== frame.length - 5) return undefined;
  let status = 0;
  for (let at = 5; at < frame.length; ) {
    const tag = readVarint(frame, at);
    if (tag === undefined) return undefined;
    const value = readVarint(frame, tag.end);
    if (value === undefined) return undefined;
    const wire = tag.value & 7;
    if (wire !== 0 && wire !== 2) return undefined;
    if (tag.value >> 3 === 1 && wire === 0) status = value.value;
    at = wire === 0 ? value.end : value.end + value.value;
  }
  return status;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

function readVarint(bytes: Buffer, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let at = from; at < bytes.length && at < from + 4; at++) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 0x7f) << (7 * (at - from));
    if (byte < 0x80) return { value, end: at + 1 };
  }
  return undefined;
}
