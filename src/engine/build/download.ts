import { createHash } from 'node:crypto';
import { mkdir, open, utimes } from 'node:fs/promises';
import path from 'node:path';

import { messageOf, MooringError } from '../../lib/errors.ts';

export interface Download {
  readonly url: string;
  /** An existing folder. */
  readonly folder: string;
  /** Its file's name where the address has none; undefined refuses that. */
  readonly otherwise: string | undefined;
  /** `sha256:…` that the content must have. */
  readonly checksum: string | undefined;
  readonly signal: AbortSignal;
}

const ALGORITHMS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Fetches one file, mode 0600, dated as its server says. Gives its name in the folder. Throws `Unavailable`, or `Invalid`. */
export async function download({ url, folder, otherwise, checksum, signal }: Download): Promise<string> {
  const wanted = checksum === undefined ? undefined : parseChecksum(checksum);
  let response: Response;
  try {
    response = await fetch(url, { redirect: 'follow', signal });
  } catch (cause) {
    signal.throwIfAborted();
    throw new MooringError('Unavailable', `fetch ${url}: ${messageOf(cause)}`, { cause });
  }
  if (!response.ok || !response.body) throw new MooringError('Unavailable', `fetch ${url}: the server answered ${response.status} ${response.statusText}`);
  const name = nameOf(response, url) ?? otherwise;
  if (name === undefined) throw new MooringError('Invalid', `${url} does not say what its file is called`, { fix: 'give the destination a name rather than a folder' });
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, name);
  const hash = createHash(wanted?.algorithm ?? 'sha256');
  {
    await using handle = await open(file, 'wx', 0o600);
    for await (const piece of response.body) {
      hash.update(piece);
      await handle.writeFile(piece);
    }
  }
  const digest = hash.digest('hex');
  if (wanted && digest !== wanted.digest) throw new MooringError('Invalid', `${url} has the checksum ${wanted.algorithm}:${digest}, and --checksum says ${checksum}`);
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  const date = new Date(Number.isNaN(modified) ? 0 : modified);
  await utimes(file, date, date);
  return name;
}

/** Throws `Invalid`. */
function parseChecksum(text: string): { readonly algorithm: string; readonly digest: string } {
  const [algorithm = '', digest = ''] = text.split(':');
  if (ALGORITHMS[algorithm] !== digest.length || !/^[0-9a-f]+$/.test(digest)) throw new MooringError('Invalid', `"${text}" is no checksum`, { fix: 'write it like sha256:<64 hexadecimal digits>' });
  return { algorithm, digest };
}

function nameOf(response: Response, url: string): string | undefined {
  const stated = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  const name = path.posix.basename(stated ?? decodeURIComponent(new URL(url).pathname));
  return name === '' || name === '/' || name === '.' || name === '..' || name.includes('\0') ? undefined : name;
}
