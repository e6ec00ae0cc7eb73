import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoOf, MooringError } from '../lib/errors.ts';
import type { ParseResult } from '../spec/parsed.ts';
import { RejectedDocuments } from './client.ts';
import type { Io } from './io.ts';
import { problemLines } from './output/problems.ts';

/**
 * What a file becomes, as documents without their defaults. Files that it names are read beside it; what is not done of it is told on standard error. Throws
 * `RejectedDocuments` where the file can't be taken. The reader is loaded only where it is asked for.
 */
export async function translated(name: string, text: string, io: Io): Promise<unknown[]> {
  const { plainDocument, readDocuments } = await import('../spec/read-documents.ts');
  return acceptedOf(await readDocuments(text, { file: name, path: resolve(name), read: readIfThere }), io).map(plainDocument);
}

function acceptedOf({ documents, problems }: ParseResult, io: Io): ParseResult['documents'] {
  const [first, ...more] = problems.filter(({ warning }) => warning !== true);
  if (first !== undefined) {
    const message = `${first.field === '' ? '' : `${first.field}: `}${first.message}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
    throw new RejectedDocuments({ code: 'Invalid', message, at: first.at, ...(first.fix !== undefined && { fix: first.fix }), problems });
  }
  if (problems.length > 0) io.err(`${problemLines(problems, io.style).join('\n')}\n`);
  return documents;
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new MooringError('Invalid', `can't read ${path}`, { cause: error });
  }
}
