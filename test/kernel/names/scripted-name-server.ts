import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import * as dns from 'dns-packet';
import { frameOf, readFrames } from '../../../src/engine/names/stream-frames.ts';

/** What it says to a query: messages, sent as they are, or nothing. */
export type Script = (query: dns.DecodedPacket, transport: 'udp' | 'tcp') => readonly Buffer[];

export interface ScriptedNameServer extends AsyncDisposable {
  /** As `NamedEndpoint.servers` has it. */
  readonly address: string;
  /** Names that it was asked for, in order. */
  readonly asked: string[];
}

/** A name server of the outside that says what a test makes it say, well-formed or not. */
export async function scriptedNameServer(host: string, script: Script): Promise<ScriptedNameServer> {
  const asked: string[] = [];
  const respond = (bytes: Buffer, transport: 'udp' | 'tcp'): readonly Buffer[] => {
    const query = dns.decode(bytes);
    asked.push(`${query.questions?.[0]?.name} ${transport}`);
    return script(query, transport);
  };
  const connections = new Set<Socket>();
  const streams = createServer((socket) => {
    connections.add(socket.on('error', () => undefined));
    void (async () => {
      for await (const message of readFrames(socket as AsyncIterable<Buffer>)) for (const answer of respond(message, 'tcp')) socket.write(frameOf(answer));
    })().catch(() => undefined);
  });
  streams.listen(0, host);
  await once(streams, 'listening');
  const { port } = streams.address() as { readonly port: number };
  const datagrams = createSocket('udp4');
  datagrams.on('message', (message, from) => {
    for (const answer of respond(message, 'udp')) datagrams.send(answer, from.port, from.address);
  });
  datagrams.bind(port, host);
  await once(datagrams, 'listening');
  return {
    address: `${host}#${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      datagrams.close();
      streams.close();
      await once(streams, 'close');
    },
  };
}

/** A well-formed answer to it. */
export function answerTo(query: dns.DecodedPacket, answers: readonly dns.Answer[], rcode = 0): Buffer {
  return dns.encode({ type: 'response', id: query.id ?? 0, flags: dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | rcode, questions: query.questions ?? [], answers: [...answers] });
}
