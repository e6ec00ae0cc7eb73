import { z } from 'zod';

import type { BuildEngine, BuildRequest } from '../../engine/builds.ts';
import { parsePlatform } from '../../engine/images/platform.ts';
import { Bell } from '../../lib/bell.ts';
import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import type { BuildEvent } from './build-types.ts';
import { type Call, isAsked, sendLines } from './call.ts';
import { errorReply } from './error-body.ts';
import type { Route } from './routes.ts';

/** Of the order, secrets and a Dockerfile's text included. */
const MAX_ORDER_BYTES = 16 * 1024 * 1024;
/** Output that a slow client has not taken yet; beyond, the oldest of it is dropped. */
const MAX_BEHIND = 20_000;

/** The resources below /v1/builds. */
export const buildRoutes: readonly Route[] = [
  { method: 'POST', path: '/v1/builds', handle: (call, { builds }) => build(call, builds) },
  { method: 'GET', path: '/v1/builds/cache', handle: async (call, { builds }) => sendJson(call, await builds.cacheUsage()) },
  {
    method: 'POST',
    path: '/v1/builds/cache/prune',
    handle: async (call, { builds }) => {
      const hours = Number(call.query.get('unusedHours') ?? '0');
      if (!Number.isFinite(hours) || hours < 0) throw new MooringError('Invalid', 'unusedHours must be a number of hours');
      sendJson(call, await builds.pruneCache({ dryRun: isAsked(call.query, 'dryRun'), unusedFor: hours * 3_600_000 }));
    },
  },
];

const absolute = z.string().regex(/^\/[^\0]*$/, 'must be an absolute path');
const words = z.record(z.string(), z.string());
const orderSchema = z.strictObject({
  context: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('folder'), path: absolute }),
    z.strictObject({ kind: z.literal('git'), address: z.string() }),
    z.strictObject({ kind: z.literal('archive') }),
    z.strictObject({ kind: z.literal('none') }),
  ]),
  dockerfile: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('context'), path: z.string() }),
    z.strictObject({ kind: z.literal('file'), path: absolute }),
    z.strictObject({ kind: z.literal('text'), name: z.string(), content: z.string() }),
  ]),
  tags: z.array(z.string()).default([]),
  target: z.string().optional(),
  buildArgs: words.default({}),
  labels: words.default({}),
  platform: z.string().optional(),
  noCache: z.boolean().default(false),
  pull: z.boolean().default(false),
  network: z.enum(['default', 'host', 'none']).default('default'),
  addHosts: z.array(z.string()).default([]),
  secrets: z.record(z.string(), z.base64()).default({}),
  ssh: z.record(z.string(), absolute).default({}),
  outputs: z.array(z.strictObject({ type: z.enum(['local', 'tar', 'oci', 'docker']), destination: absolute })).default([]),
});

const NETWORKS = { default: 'Bridge', host: 'Host', none: 'None' } as const;

/** Tells a build's progress line by line. It ends with the client who asked for it. */
async function build(call: Call, builds: BuildEngine): Promise<void> {
  const body = call.request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const { line, rest } = await firstLine(body);
  const request = buildRequest(line, rest);
  const news = new Outbox();
  builds.build(request, { signal: call.signal, onProgress: (progress) => news.put(progress) }).then(
    (done) => news.put({ type: 'DONE', ...done }),
    (error: unknown) => news.put({ type: 'ERROR', error: errorReply(error).body.error }),
  );
  await sendLines(call, news.events(call.signal));
}

function buildRequest(line: string, archive: AsyncIterable<Buffer>): BuildRequest {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new MooringError('Invalid', "the first line of a build's request is not JSON", { cause });
  }
  const { success, data, error } = orderSchema.safeParse(json);
  if (!success) throw new MooringError('Invalid', `the build's order is malformed: ${error.issues[0]?.path.join('.') ?? ''} ${error.issues[0]?.message ?? ''}`);
  const { context, buildArgs, labels, platform, network, secrets, ssh, target, ...plain } = data;
  return {
    ...plain,
    context: context.kind === 'archive' ? { kind: 'archive', content: archive } : context,
    ...(target !== undefined && { target }),
    ...(platform !== undefined && { platform: parsePlatform(platform) }),
    buildArguments: new Map(Object.entries(buildArgs)),
    labels: new Map(Object.entries(labels)),
    network: NETWORKS[network],
    secrets: new Map(Object.entries(secrets).map(([id, content]) => [id, Buffer.from(content, 'base64')])),
    ssh: new Map(Object.entries(ssh)),
  };
}

/** The text up to the first line feed, and what follows it. */
async function firstLine(body: AsyncIterable<Buffer>): Promise<{ readonly line: string; readonly rest: AsyncIterable<Buffer> }> {
  const pieces = body[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  for (let end = -1; ; ) {
    const next = await pieces.next();
    if (next.done !== true) head = Buffer.concat([head, next.value]);
    end = head.indexOf(0x0a);
    if (end >= 0) return { line: head.toString('utf8', 0, end), rest: following(head.subarray(end + 1), pieces) };
    if (next.done === true) return { line: head.toString('utf8'), rest: following(Buffer.alloc(0), pieces) };
    if (head.length > MAX_ORDER_BYTES) throw new MooringError('Invalid', `the build's order is longer than ${MAX_ORDER_BYTES} bytes`);
  }
}

async function* following(head: Buffer, pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer, void, void> {
  if (head.length > 0) yield head;
  for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
}

/** Events that wait for their client, in order. */
class Outbox {
  readonly #arrived = new Bell();
  #events: BuildEvent[] = [];

  put(event: BuildEvent): void {
    if (this.#events.length >= MAX_BEHIND) {
      const oldest = this.#events.findIndex(({ type }) => type === 'OUTPUT');
      if (oldest >= 0) this.#events.splice(oldest, 1);
    }
    this.#events.push(event);
    if (this.#events.length === 1) this.#arrived.ring();
  }

  async *events(signal: AbortSignal): AsyncGenerator<BuildEvent, void, void> {
    while (!signal.aborted) {
      if (this.#events.length === 0 && !(await this.#arrived.next(signal))) return;
      const batch = this.#events;
      this.#events = [];
      for (const event of batch) {
        yield event;
        if (event.type === 'DONE' || event.type === 'ERROR') return;
      }
    }
  }
}
