import type { Duplex, Readable, Writable } from 'node:stream';
import { type DockerCall, param } from './call.ts';
import { logBytes } from './container-logs.ts';
import { attributesOf } from './container-events.ts';
import { findContainer, type FoundContainer } from './container-lookup.ts';
import { stateOf } from './container-state.ts';
import type { DockerServices } from './docker-services.ts';
import { DockerError } from './error-reply.ts';
import { hijack } from './hijack.ts';
import { detachKeysOf, runStreamSession, send, type SessionWishes } from './stream-session.ts';
import { acceptWebSocket } from './websocket.ts';

interface AttachWishes extends SessionWishes {
  readonly logs: boolean;
  readonly stream: boolean;
}

/** `POST /containers/{id}/attach`: the container's streams, on the request's connection. */
export async function attach(call: DockerCall, services: DockerServices): Promise<void> {
  const found = attachable(services, param(call, 'id'));
  const wishes = wishesOf(call, found.view.container.spec.tty);
  await serve(services, found, wishes, () => hijack(call));
}

/** `GET /containers/{id}/attach/ws`: the same in the messages of a WebSocket, without frames around what each stream writes. */
export async function attachWebSocket(call: DockerCall, services: DockerServices): Promise<void> {
  const found = attachable(services, param(call, 'id'));
  const wishes = wishesOf(call, true);
  await serve(services, found, wishes, () => acceptWebSocket(call));
}

function attachable(services: DockerServices, reference: string): FoundContainer {
  const found = findContainer(services, reference);
  const state = stateOf(found.view);
  if (state === 'paused') throw new DockerError(409, `container ${reference} is paused, unpause the container before attach`);
  if (state === 'restarting') throw new DockerError(409, `container ${reference} is restarting, wait until the container is running`);
  return found;
}

function wishesOf({ query }: DockerCall, raw: boolean): AttachWishes {
  const [stdin, stdout, stderr] = [query.flag('stdin'), query.flag('stdout'), query.flag('stderr')];
  return { logs: query.flag('logs'), stream: query.flag('stream'), stdin, stdout, stderr, raw, detachKeys: detachKeysOf(query.text('detachKeys')) };
}

/** The client is there before the process is, where it comes first; so it misses nothing. */
async function serve(services: DockerServices, found: FoundContainer, wishes: AttachWishes, takeOver: () => { readonly input: Readable; readonly output: Writable }): Promise<void> {
  const gone = new AbortController();
  const process = wishes.stream ? connect(services, found, gone.signal) : undefined;
  // It is awaited below; until then its failure is nobody's.
  process?.catch(() => {});
  const client = takeOver();
  services.told.container('attach', found.id, attributesOf(found.view));
  client.output.once('close', () => gone.abort());
  try {
    if (wishes.logs) {
      const past = logBytes(services, found, { stdout: wishes.stdout, stderr: wishes.stderr, timestamps: false, follow: false }, gone.signal);
      for await (const bytes of past) await send(client.output, bytes);
    }
    if (process !== undefined && (await runStreamSession(await process, client, wishes)) === 'detached') services.told.container('detach', found.id, attributesOf(found.view));
  } finally {
    client.output.end();
  }
}

async function connect(services: DockerServices, { id, view }: FoundContainer, signal: AbortSignal): Promise<Duplex> {
  if (services.reconciler.view(view.name)?.status.pid === undefined) return services.insight.attachNext(id, signal);
  return services.streams.attach(id);
}
