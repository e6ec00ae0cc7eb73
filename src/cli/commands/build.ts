import { readFile, rm, writeFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { BuildEvent, BuildOrder, BuildOutput } from '../../api/v1/build-types.ts';
import { MooringError } from '../../lib/errors.ts';
import type { Client } from '../client.ts';
import { EXIT } from '../exit.ts';
import type { Io } from '../io.ts';
import { BuildScreen } from '../output/build-screen.ts';

export interface BuildFlags {
  readonly tag: readonly string[];
  readonly file?: string;
  readonly target?: string;
  readonly buildArg: readonly string[];
  readonly label: readonly string[];
  readonly secret: readonly string[];
  readonly ssh: readonly string[];
  readonly output: readonly string[];
  readonly platform?: string;
  readonly cache: boolean;
  readonly pull?: boolean;
  readonly network: 'default' | 'host' | 'none';
  readonly addHost: readonly string[];
  readonly iidfile?: string;
  readonly progress: 'auto' | 'plain' | 'tty';
  readonly quiet?: boolean;
}

/** `mooring build`: shows it step by step; the image's ID comes last. */
export async function build(client: Client, io: Io, context: string, flags: BuildFlags): Promise<number> {
  const { output, stdout } = outputsOf(flags.output);
  const { place, archive } = await placeOf(io, context, flags.file);
  const order: BuildOrder = {
    ...place,
    tags: flags.tag,
    ...(flags.target !== undefined && { target: flags.target }),
    buildArgs: Object.fromEntries(flags.buildArg.flatMap(argumentOf).concat(epoch())),
    labels: Object.fromEntries(flags.label.map(pair)),
    ...(flags.platform !== undefined && { platform: flags.platform }),
    noCache: !flags.cache,
    pull: flags.pull ?? false,
    network: flags.network,
    addHosts: flags.addHost,
    secrets: Object.fromEntries(await Promise.all(flags.secret.map(secretOf))),
    ssh: Object.fromEntries(flags.ssh.map(agentOf)),
    outputs: output,
  };
  try {
    const { imageId, names } = await follow(client, io, order, archive, flags, stdout !== undefined);
    if (flags.iidfile !== undefined) await writeFile(flags.iidfile, imageId);
    if (stdout !== undefined) await io.outBytes(createReadStream(stdout) as AsyncIterable<Buffer>);
    else io.out(flags.quiet === true ? `${imageId}\n` : `built ${names.length === 0 ? '' : `${names.join(', ')} `}(${imageId})\n`);
    return EXIT.ok;
  } finally {
    if (stdout !== undefined) await rm(stdout, { force: true });
  }
}

async function follow(client: Client, io: Io, order: BuildOrder, archive: AsyncIterable<Buffer> | undefined, { quiet, progress }: BuildFlags, toStdout: boolean): Promise<BuildEvent & { type: 'DONE' }> {
  // What goes to standard output must not be mixed with anything.
  using screen = quiet === true || toStdout ? undefined : new BuildScreen(io, progress === 'tty' || (progress === 'auto' && io.terminal));
  async function* body(): AsyncGenerator<Buffer, void, void> {
    yield Buffer.from(`${JSON.stringify(order)}\n`);
    if (archive) yield* archive;
  }
  for await (const event of client.lines<BuildEvent>('POST', '/v1/builds', undefined, {}, { type: 'application/vnd.mooring.build', content: body() })) {
    if (event.type === 'DONE') return event;
    if (event.type === 'ERROR') {
      const { code, message, at, fix } = event.error;
      throw new MooringError(code, message, { ...(at !== undefined && { at }), ...(fix !== undefined && { fix }) });
    }
    screen?.show(event);
  }
  throw new MooringError('Unavailable', 'the daemon stopped in the middle of the build', { fix: 'build again: the steps that were done are kept' });
}

/** Where the context and the Dockerfile are. A Dockerfile named beside a folder is a file of the node, else one of the context. */
async function placeOf(io: Io, context: string, file: string | undefined): Promise<{ readonly place: Pick<BuildOrder, 'context' | 'dockerfile'>; readonly archive?: AsyncIterable<Buffer> }> {
  const below = { kind: 'context', path: file ?? 'Dockerfile' } as const;
  if (context === '-') {
    if (file === '-') throw new MooringError('Invalid', 'the context and the Dockerfile can not both be standard input');
    const { isText, content } = await peek(io.stdinBytes());
    if (!isText) return { place: { context: { kind: 'archive' }, dockerfile: below }, archive: content };
    return { place: { context: { kind: 'none' }, dockerfile: { kind: 'text', name: 'Dockerfile', content: await textOf(content) } } };
  }
  const isGit = /^(git|ssh):\/\/|^https?:\/\/.+\.git(#|$)|^[A-Za-z0-9._-]+@[A-Za-z0-9._-]+:/.test(context);
  const source = isGit ? ({ kind: 'git', address: context } as const) : ({ kind: 'folder', path: resolve(context) } as const);
  if (file === '-') return { place: { context: source, dockerfile: { kind: 'text', name: 'Dockerfile', content: await io.readStdin() } } };
  return { place: { context: source, dockerfile: isGit ? below : { kind: 'file', path: resolve(file ?? join(context, 'Dockerfile')) } } };
}

/** A Dockerfile is text; an archive has a NUL in its first block, or a compression's magic number. */
async function peek(bytes: AsyncIterable<Buffer>): Promise<{ readonly isText: boolean; readonly content: AsyncIterable<Buffer> }> {
  const pieces = bytes[Symbol.asyncIterator]();
  const first = await pieces.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  async function* content(): AsyncGenerator<Buffer, void, void> {
    yield head;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  }
  return { isText: !head.includes(0) && !/^(1f8b|28b52ffd|fd377a58|425a68)/.test(head.toString('hex', 0, 4)), content: content() };
}

async function textOf(content: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of content) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function pair(text: string): [string, string] {
  const equals = text.indexOf('=');
  return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
}

/** Without a value, that of the environment; without that, none. */
function argumentOf(text: string): [string, string][] {
  if (text.includes('=')) return [pair(text)];
  const value = process.env[text];
  return value === undefined ? [] : [[text, value]];
}

/** Reproducible builds ask for it by the environment (https://reproducible-builds.org/specs/source-date-epoch/). */
function epoch(): [string, string][] {
  const value = process.env['SOURCE_DATE_EPOCH'];
  return value === undefined || value === '' ? [] : [['SOURCE_DATE_EPOCH', value]];
}

/** `id=ID,src=FILE`, `id=ID,env=NAME`, `ID=…` short for neither; the content in base64. */
async function secretOf(text: string): Promise<[string, string]> {
  const fields = new Map(text.split(',').map(pair));
  const id = fields.get('id');
  if (id === undefined || id === '') throw new MooringError('Invalid', `--secret ${text} lacks its id`, { fix: 'write id=NAME,src=FILE' });
  const variable = fields.get('env');
  const file = fields.get('src') ?? fields.get('source');
  if (variable !== undefined || (file === undefined && process.env[id] !== undefined)) {
    const value = process.env[variable ?? id];
    if (value === undefined) throw new MooringError('Invalid', `--secret ${text}: the environment has no ${variable}`);
    return [id, Buffer.from(value).toString('base64')];
  }
  const content = await readFile(file ?? id).catch((cause: unknown) => {
    throw new MooringError('NotFound', `--secret ${text}: its file can't be read`, { cause });
  });
  return [id, content.toString('base64')];
}

/** `default`, `ID`, `ID=SOCKET`. */
function agentOf(text: string): [string, string] {
  const [id, socket] = pair(text);
  const place = socket === '' ? process.env['SSH_AUTH_SOCK'] : socket;
  if (place === undefined || place === '') throw new MooringError('Invalid', `--ssh ${text}: there is no agent`, { fix: 'start one with "eval $(ssh-agent)", or give its socket: --ssh default=SOCKET' });
  return [id, resolve(place)];
}

/** What goes to standard output is written to a file first, which `stdout` names. */
function outputsOf(texts: readonly string[]): { readonly output: readonly BuildOutput[]; readonly stdout: string | undefined } {
  let stdout: string | undefined;
  const output = texts.map((text): BuildOutput => {
    const fields = text === '-' ? new Map([['type', 'tar'], ['dest', '-']]) : text.includes('=') ? new Map(text.split(',').map(pair)) : new Map([['type', 'local'], ['dest', text]]);
    const type = fields.get('type');
    const destination = fields.get('dest') ?? fields.get('destination');
    if (type !== 'local' && type !== 'tar' && type !== 'oci' && type !== 'docker') throw new MooringError('Invalid', `--output ${text}: there is no type ${JSON.stringify(type ?? '')}`, { fix: 'use local, tar, oci or docker' });
    if (type === 'local' && (destination === undefined || destination === '-')) throw new MooringError('Invalid', `--output ${text} lacks its folder`, { fix: 'add dest=FOLDER' });
    if (destination !== undefined && destination !== '-') return { type, destination: resolve(destination) };
    stdout = join(tmpdir(), `mooring-build-${process.pid}.tar`);
    return { type, destination: stdout };
  });
  return { output, stdout };
}
