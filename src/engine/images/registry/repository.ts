import { createReadStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { MooringError } from '../../../lib/errors.ts';
import { formatImageReference, type ImageReference } from '../../../spec/image-reference.ts';
import type { BlobWriter } from '../blob-store.ts';
import { type Digest, digestOf, parseDigest } from '../digest.ts';
import { type Descriptor, MANIFEST_TYPES } from '../oci-image.ts';
import { connectionError } from './registry-host.ts';
import { boundedBody, headerOf, RegistrySession, type Response } from './registry-session.ts';
import type { Endpoint, RegistrySettings } from './registry-settings.ts';
import { isTransientFailure, retryDelay } from './retry.ts';

export interface FetchedManifest {
  readonly content: Buffer;
  readonly digest: Digest;
}

/** The distribution spec lets a registry refuse more. */
const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
/** Broken connections in a row without a byte between them. */
const BARREN_ATTEMPTS = 5;
/** A blob beyond this goes up in pieces, each of which can be sent again. */
const CHUNK_BYTES = 32 * 2 ** 20;
const MAX_CHUNK_FAILURES = 5;

export interface OpenOptions {
  readonly actions: 'pull' | 'pull,push';
  /** Repositories of the same registry that blobs may be taken over from in a push. */
  readonly from?: readonly string[];
  readonly settings: RegistrySettings;
  readonly signal?: AbortSignal | undefined;
}

/** One repository of a registry (OCI distribution spec). */
export class Repository implements AsyncDisposable {
  readonly reference: ImageReference;
  readonly #endpoint: Endpoint;
  readonly #session: RegistrySession;
  readonly #signal: AbortSignal | undefined;
  readonly #base: string;

  private constructor(reference: ImageReference, endpoint: Endpoint, session: RegistrySession, signal: AbortSignal | undefined) {
    this.reference = reference;
    this.#endpoint = endpoint;
    this.#session = session;
    this.#signal = signal;
    this.#base = `/v2/${endpoint.repository}`;
  }

  /** The repository of a reference, at its registry or at a mirror. */
  static async open(reference: ImageReference, endpoint: Endpoint, { actions, from = [], settings, signal }: OpenOptions): Promise<Repository> {
    const scopes = [`repository:${endpoint.repository}:${actions}`, ...from.map((repository) => `repository:${repository}:pull`)];
    return new Repository(reference, endpoint, await RegistrySession.open(endpoint.host, scopes, settings, signal), signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session[Symbol.asyncDispose]();
  }

  /** By the reference's digest or tag, or by a digest from an index. What comes for a digest is that, or `Invalid`. */
  async manifest(descriptor?: Descriptor): Promise<FetchedManifest> {
    const expected = descriptor?.digest ?? (this.reference.digest as Digest | undefined);
    const what = `image ${formatImageReference(this.reference)}`;
    const response = await this.#session.send({
      url: `${this.#base}/manifests/${expected ?? this.reference.tag ?? 'latest'}${this.#query}`,
      headers: { accept: MANIFEST_TYPES.join(', ') },
      accept: [200],
      what,
    });
    const content = await boundedBody(response, MAX_MANIFEST_BYTES, `the manifest of ${what}`);
    const digest = digestOf(content);
    if (expected !== undefined && digest !== expected) throw new MooringError('Invalid', `${what}: the registry sent manifest ${digest} for ${expected}`);
    if (descriptor && content.length !== descriptor.size) throw new MooringError('Invalid', `${what}: its index says that manifest ${digest} has ${descriptor.size} bytes, and it has ${content.length}`);
    return { content, digest };
  }

  /**
   * What the registry keeps under the reference's tag now, without fetching it: a request that registries don't count as a pull. One that
   * does not name the digest is asked for the manifest itself.
   */
  async digest(): Promise<Digest> {
    const response = await this.#session.send({
      method: 'HEAD',
      url: `${this.#base}/manifests/${this.reference.tag ?? 'latest'}${this.#query}`,
      headers: { accept: MANIFEST_TYPES.join(', ') },
      accept: [200],
      what: `image ${formatImageReference(this.reference)}`,
    });
    await response.body.dump();
    const said = headerOf(response, 'docker-content-digest');
    return said === undefined ? (await this.manifest()).digest : parseDigest(said);
  }

  /** A small blob, whole. */
  async blob({ digest, size }: Descriptor, limit: number): Promise<Buffer> {
    const what = `blob ${digest} of ${this.#endpoint.repository}`;
    if (size > limit) throw new MooringError('Invalid', `${what} is larger than ${limit} bytes`);
    const content = await boundedBody(await this.#getBlob(digest, 0), size, what);
    if (digestOf(content) !== digest) throw new MooringError('Invalid', `${what} came with other content`);
    return content;
  }

  /** Takes a blob in, going on where a broken connection left off. The caller commits. */
  async download({ digest, size }: Descriptor, writer: BlobWriter, onBytes: (bytes: number) => void): Promise<void> {
    for (let barren = 0; writer.size < size; ) {
      const before = writer.size;
      try {
        const response = await this.#getBlob(digest, before);
        if (response.statusCode === 200 && before > 0) await writer.restart();
        for await (const piece of response.body as AsyncIterable<Buffer>) {
          await writer.write(piece);
          onBytes(writer.size);
        }
        if (writer.size < size && writer.size <= before) throw new MooringError('Invalid', `blob ${digest} is shorter than the ${size} bytes that it should have`);
      } catch (error) {
        this.#signal?.throwIfAborted();
        if (error instanceof MooringError) throw error;
        barren = writer.size > before ? 0 : barren + 1;
        if (!isTransientFailure(error) || barren >= BARREN_ATTEMPTS) throw connectionError(this.#endpoint.host, error);
        await sleep(retryDelay(barren), undefined, this.#signal ? { signal: this.#signal } : {});
      }
    }
  }

  async hasBlob(digest: Digest): Promise<boolean> {
    const response = await this.#session.send({ method: 'HEAD', url: `${this.#base}/blobs/${digest}`, accept: [200, 404], what: `blob ${digest}` });
    await response.body.dump();
    return response.statusCode === 200;
  }

  /** Sends a blob's file, unless the registry can take it over from one of its other repositories. */
  async upload({ digest, size }: Pick<Descriptor, 'digest' | 'size'>, file: string, from: string | undefined, onBytes: (bytes: number) => void): Promise<'mounted' | 'uploaded'> {
    const what = `an upload to ${this.#endpoint.repository}`;
    const query = from === undefined ? '' : `?${new URLSearchParams({ mount: digest, from }).toString()}`;
    const begun = await this.#session.send({ method: 'POST', url: `${this.#base}/blobs/uploads/${query}`, headers: { 'content-length': '0' }, accept: [201, 202], what });
    await begun.body.dump();
    if (begun.statusCode === 201) return 'mounted';
    let place = locationOf(begun, this.#session.host.origin, what);
    let sent = 0;
    let failures = 0;
    const inPieces = size > CHUNK_BYTES ? size : 0;
    while (sent < inPieces) {
      const end = Math.min(size, sent + CHUNK_BYTES);
      try {
        const response = await this.#sendChunk(place, file, sent, end, what);
        place = locationOf(response, this.#session.host.origin, what);
        sent = end;
        onBytes(sent);
      } catch (error) {
        if (!(error instanceof MooringError) || error.code !== 'Unavailable' || ++failures >= MAX_CHUNK_FAILURES) throw error;
        const status = await this.#session.send({ url: place, accept: [204], what });
        await status.body.dump();
        place = locationOf(status, this.#session.host.origin, what);
        sent = receivedOf(status);
      }
    }
    const rest = size - sent;
    const finish = new URL(place);
    finish.searchParams.set('digest', digest);
    const done = await this.#session.send({
      method: 'PUT',
      url: finish.href,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(rest) },
      ...(rest > 0 && { body: () => createReadStream(file, { start: sent }) }),
      accept: [201],
      what,
    });
    await done.body.dump();
    onBytes(size);
    return 'uploaded';
  }

  async putManifest(content: Buffer, mediaType: string): Promise<void> {
    const { tag, digest } = this.reference;
    const response = await this.#session.send({
      method: 'PUT',
      url: `${this.#base}/manifests/${tag ?? digest ?? 'latest'}`,
      headers: { 'content-type': mediaType, 'content-length': String(content.length) },
      body: () => content,
      accept: [201, 202],
      what: `the manifest of ${formatImageReference(this.reference)}`,
    });
    await response.body.dump();
  }

  /** Tells a mirror of several registries which one is meant, as containerd does. */
  get #query(): string {
    return this.#endpoint.mirrorOf === undefined ? '' : `?${new URLSearchParams({ ns: this.#endpoint.mirrorOf }).toString()}`;
  }

  #getBlob(digest: Digest, from: number): Promise<Response> {
    return this.#session.send({
      url: `${this.#base}/blobs/${digest}${this.#query}`,
      headers: from > 0 ? { range: `bytes=${from}-` } : {},
      accept: from > 0 ? [200, 206] : [200],
      what: `blob ${digest} of ${this.#endpoint.repository}`,
    });
  }

  async #sendChunk(url: string, file: string, start: number, end: number, what: string): Promise<Response> {
    const response = await this.#session.send({
      method: 'PATCH',
      url,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(end - start), 'content-range': `${start}-${end - 1}` },
      body: () => createReadStream(file, { start, end: end - 1 }),
      accept: [202, 416],
      what,
    });
    await response.body.dump();
    // A piece that was sent again after its answer was lost is out of order: the registry has it.
    if (response.statusCode === 416) throw new MooringError('Unavailable', `${what} is out of step`);
    return response;
  }
}

function locationOf(response: Response, origin: string, what: string): string {
  const location = headerOf(response, 'location');
  if (location === undefined) throw new MooringError('Unavailable', `the registry gave no place for ${what}`);
  return new URL(location, origin).href;
}

/** Of `Range: 0-1023`, 1024 bytes are there. */
function receivedOf(response: Response): number {
  const last = /^(?:bytes=)?0-(\d+)$/.exec(headerOf(response, 'range') ?? '')?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
