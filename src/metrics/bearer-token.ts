import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { MooringError, messageOf } from '../lib/errors.ts';

/** The token in a file, without the white space around it. Throws `Invalid` when there is none. */
export async function readToken(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new MooringError('Invalid', `cannot read the metrics token file ${file}: ${messageOf(error)}`, { fix: 'write a secret to it, readable by the daemon', cause: error });
  }
  if (text === '') throw new MooringError('Invalid', `the metrics token file ${file} is empty`, { fix: 'write a secret to it' });
  return text;
}

/** Whether an `Authorization` header carries the token. Takes as long whatever the header says. */
export function bears(authorization: string | undefined, token: string): boolean {
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
