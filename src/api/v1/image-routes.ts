import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { fetchUrl } from '../../engine/images/fetch-url.ts';
import { parsePlatform } from '../../engine/images/platform.ts';
import type { ImageEngine, ImageProgress, PruneOptions, TransferOptions } from '../../engine/images.ts';
import { MooringError } from '../../lib/errors.ts';
import { sendJson } from '../reply.ts';
import { takeBody } from '../request-body.ts';
import { Telling } from '../telling.ts';
import { asked, type Call, isAsked, sendLines } from './call.ts';
import { errorReply } from './error-body.ts';
import type { CheckResult, ImageHistory, ImageList, NameList, TransferEvent } from './image-types.ts';
import { credentialsOf } from './registry-routes.ts';
import type { Route } from './routes.ts';

/** The resources below /v1/images. References stand in the query, since they have slashes. */
export const imageRoutes: readonly Route[] = [
  { method: 'GET', path: '/v1/images', handle: async (call, { images }) => sendJson(call, { kind: 'ImageList', items: await images.list() } satisfies ImageList) },
  { method: 'DELETE', path: '/v1/images', handle: async (call, { images }) => sendJson(call, { kind: 'NameList', ...(await images.remove(asked(call, 'image'), { force: isAsked(call.query, 'force') })) } satisfies NameList) },
  { method: 'GET', path: '/v1/images/inspect', handle: async (call, { images }) => sendJson(call, await images.inspect(asked(call, 'image'))) },
  { method: 'GET', path: '/v1/images/history', handle: async (call, { images }) => sendJson(call, { kind: 'ImageHistory', items: await images.history(asked(call, 'image')) } satisfies ImageHistory) },
  { method: 'GET', path: '/v1/images/usage', handle: async (call, { images }) => sendJson(call, await images.diskUsage()) },
  { method: 'GET', path: '/v1/images/check', handle: async (call, { images }) => sendJson(call, { kind: 'CheckResult', problems: await images.check() } satisfies CheckResult) },
  { method: 'GET', path: '/v1/images/save', handle: (call, { images }) => save(call, images) },
  { method: 'POST', path: '/v1/images/pull', handle: (call, { images }) => pull(call, images) },
  { method: 'POST', path: '/v1/images/push', handle: (call, { images }) => push(call, images) },
  { method: 'POST', path: '/v1/images/load', handle: (call, { images }) => takeIn(call, (archive) => images.load(archive, call.signal)) },
  { method: 'POST', path: '/v1/images/import', handle: (call, { images }) => importArchive(call, images) },
  { method: 'POST', path: '/v1/images/insert', handle: (call, { images }) => insert(call, images) },
  {
    method: 'POST',
    path: '/v1/images/tag',
    handle: async (call, { images }) => {
      await images.tag(asked(call, 'image'), asked(call, 'name'));
      sendJson(call, { kind: 'NameList', names: [asked(call, 'name')] } satisfies NameList);
    },
  },
  { method: 'POST', path: '/v1/images/prune', handle: async (call, { images }) => sendJson(call, await images.prune({ all: isAsked(call.query, 'all'), dryRun: isAsked(call.query, 'dryRun'), ...pruneFilter(call) })) },
];

function pull(call: Call, images: ImageEngine): Promise<void> {
  const reference = asked(call, 'reference');
  const platform = call.query.get('platform');
  const wanted = platform === null ? {} : { platform: parsePlatform(platform) };
  return transfer(call, async (options) => {
    const { names, id } = await images.pull(reference, { ...options, ...wanted, ...credentialsOf(call, images.registryOf(reference)) });
    return { type: 'DONE', name: names[0] ?? reference, digest: id };
  });
}

function push(call: Call, images: ImageEngine): Promise<void> {
  const reference = asked(call, 'reference');
  return transfer(call, async (options) => ({ type: 'DONE', name: reference, ...(await images.push(reference, { ...options, ...credentialsOf(call, images.registryOf(reference)) })) }));
}

/** `until` is a time of RFC 3339, `label` may be given several times. */
function pruneFilter({ query }: Call): Pick<PruneOptions, 'until' | 'labels'> {
  const until = query.get('until');
  if (until !== null && Number.isNaN(Date.parse(until))) throw new MooringError('Invalid', `until "${until}" is no time`, { fix: 'write it as in RFC 3339: 2026-01-31T12:00:00Z' });
  return { labels: query.getAll('label'), ...(until !== null && { until: Date.parse(until) }) };
}

/** Tells a transfer's progress line by line. It ends with the client who asked for it. */
function transfer(call: Call, run: (options: TransferOptions) => Promise<TransferEvent>): Promise<void> {
  // Of a layer whose news a slow client has not taken yet only the newest is kept.
  const news = new Telling<TransferEvent>();
  const onProgress = (progress: ImageProgress): void => news.put(progress.type === 'LAYER' ? progress.digest : progress.type, progress);
  const work = run({ signal: call.signal, onProgress }).then(
    (done) => news.put('end', done),
    (error: unknown) => news.put('end', { type: 'ERROR', error: errorReply(error).body.error }),
  );
  return sendLines(call, news.during(work));
}

async function save(call: Call, images: ImageEngine): Promise<void> {
  const names = call.query.getAll('image');
  const format = call.query.get('format') ?? 'docker';
  if (names.length === 0) asked(call, 'image');
  if (format !== 'docker' && format !== 'oci') throw new MooringError('Invalid', `"${format}" is no format of archives`, { fix: 'use docker or oci' });
  const archive = await images.save(names, format);
  call.response.writeHead(200, { 'content-type': 'application/x-tar' });
  await pipeline(Readable.from(archive, { objectMode: false }), call.response);
}

/** The archive is the request's body, or what `url` leads to. */
function importArchive(call: Call, images: ImageEngine): Promise<void> {
  const name = asked(call, 'name');
  const [message, url] = [call.query.get('message'), call.query.get('url')];
  const options = { changes: call.query.getAll('change'), signal: call.signal, ...(message !== null && { message }) };
  return takeIn(call, async (archive) => [await images.import(url === null ? archive : fetchUrl(url, call.signal), name, options)]);
}

async function insert(call: Call, images: ImageEngine): Promise<void> {
  const [mode, name] = [call.query.get('mode') ?? '0644', call.query.get('name')];
  if (!/^[0-7]{3,4}$/.test(mode)) throw new MooringError('Invalid', `"${mode}" is no mode of a file`, { fix: 'give it in octal, such as 0755' });
  const image = await images.insert({ image: asked(call, 'image'), url: asked(call, 'url'), path: asked(call, 'path'), mode: Number.parseInt(mode, 8), signal: call.signal, ...(name !== null && { name }) });
  sendJson(call, { kind: 'ImageList', items: [image] } satisfies ImageList);
}

async function takeIn(call: Call, work: (archive: AsyncIterable<Buffer>) => Promise<ImageList['items']>): Promise<void> {
  sendJson(call, { kind: 'ImageList', items: await takeBody(call, work) } satisfies ImageList);
}
